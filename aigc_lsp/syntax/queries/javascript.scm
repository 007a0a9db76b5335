; JavaScript, and what TypeScript shares with it. The captures are explained in python.scm.

;;; scopes
(class_declaration name: (_) @name) @class
(class name: (_) @name) @class

(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(function_expression name: (_) @name) @function
(method_definition name: (_) @name) @function
(variable_declarator
  name: (identifier) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)
  ]) @function
(assignment_expression
  left: (_) @name
  right: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)
  ]) @function
(pair
  key: (_) @name
  value: [
    (arrow_function body: (_) @body)
    (function_expression !name body: (_) @body)
    (generator_function !name body: (_) @body)
  ]) @function

;;; places
(statement_block . "{" @open) @block
(class_body . "{" @open) @block
(switch_body . "{" @open) @block

(string) @string
(template_string) @string
(regex) @string
(template_substitution) @code
((comment) @line_comment (#match? @line_comment "^//"))
((comment) @comment (#match? @comment "^/[*]"))
(hash_bang_line) @line_comment

;;; definitions
(variable_declarator name: (identifier) @name value: (_) @value) @variable
(variable_declarator name: (identifier) @name !value) @variable

(export_statement) @outer
(lexical_declaration) @outer
(variable_declaration) @outer
(decorator) @attribute
(comment) @lead
(arrow_function) @local
(function_expression) @local

;;; imports
(import_statement source: (string (string_fragment) @module)) @import
(import_statement (import_clause (identifier) @default)) @import
(import_statement (import_clause (namespace_import (identifier) @as))) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @item !alias)))) @import
(import_statement (import_clause (named_imports (import_specifier name: (_) @item alias: (_) @alias)))) @import
(export_statement source: (string (string_fragment) @module)) @import
(export_statement (export_clause (export_specifier name: (_) @item !alias)) source: (_)) @import
(export_statement (export_clause (export_specifier name: (_) @item alias: (_) @alias)) source: (_)) @import
(export_statement "*" @all source: (_)) @import
((variable_declarator
  name: (identifier) @as
  value: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string (string_fragment) @module)))) @import
  (#eq? @_require "require"))
((variable_declarator
  name: (object_pattern)
  value: (call_expression
    function: (identifier) @_require
    arguments: (arguments . (string (string_fragment) @module)))) @import
  (#eq? @_require "require"))
((variable_declarator
  name: (object_pattern (shorthand_property_identifier_pattern) @item)
  value: (call_expression function: (identifier) @_require)) @import
  (#eq? @_require "require"))
((variable_declarator
  name: (object_pattern (pair_pattern key: (_) @item value: (identifier) @alias))
  value: (call_expression function: (identifier) @_require)) @import
  (#eq? @_require "require"))
(call_expression function: (import) arguments: (arguments . (string (string_fragment) @module))) @import

;;; names
(identifier) @name
(property_identifier) @name
(private_property_identifier) @name
(shorthand_property_identifier) @name
(shorthand_property_identifier_pattern) @name
(call_expression function: (identifier) @call)
(call_expression function: (member_expression property: (_) @call))
(class_declaration name: (_) @given)
(function_declaration name: (_) @given)
(generator_function_declaration name: (_) @given)
(method_definition name: (_) @given)
(pair key: (property_identifier) @given)
(import_statement) @apart
(export_clause) @apart
