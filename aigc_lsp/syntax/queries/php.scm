; The captures are explained in python.scm.

;;; scopes
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(trait_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(namespace_definition name: (_) @name body: (_)) @module
(function_definition name: (_) @name) @function
(method_declaration name: (_) @name) @function

;;; places
(compound_statement . "{" @open) @block
(declaration_list . "{" @open) @block
(enum_declaration_list . "{" @open) @block
(switch_block . "{" @open) @block
(match_block . "{" @open) @block
(colon_block . ":" @open) @block

(string) @string
(encapsed_string) @string
(heredoc) @string
(nowdoc) @string
(shell_command_expression) @string
(text) @text
((comment) @line_comment (#match? @line_comment "^(//|#)"))
((comment) @comment (#match? @comment "^/[*]"))

;;; definitions
(namespace_definition name: (_) @name !body) @package
(const_declaration (const_element . (name) @name)) @constant
(property_declaration (property_element name: (variable_name (name) @name))) @variable
(enum_case name: (_) @name) @constant
((function_call_expression
  function: (name) @_define
  arguments: (arguments . (argument (string (string_content) @name)))) @constant
  (#eq? @_define "define"))
(attribute_list) @attribute
(comment) @lead
(anonymous_function) @local

;;; imports
(namespace_use_declaration (namespace_use_clause . [(name) (qualified_name)] @module !alias)) @import
(namespace_use_declaration (namespace_use_clause . [(name) (qualified_name)] @module alias: (name) @as)) @import
(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . (_) @item !alias))) @import
(namespace_use_declaration
  (namespace_name) @module
  body: (namespace_use_group (namespace_use_clause . (_) @item alias: (name) @alias))) @import
([
  (require_expression (_ (string_content) @module))
  (require_expression (binary_expression right: (_ (string_content) @module)))
  (require_once_expression (_ (string_content) @module))
  (require_once_expression (binary_expression right: (_ (string_content) @module)))
  (include_expression (_ (string_content) @module))
  (include_expression (binary_expression right: (_ (string_content) @module)))
  (include_once_expression (_ (string_content) @module))
  (include_once_expression (binary_expression right: (_ (string_content) @module)))
]) @import

;;; names
(name) @name
(named_type (name) @type)
(named_type (qualified_name (name) @type))
(base_clause (name) @type)
(class_interface_clause (name) @type)
(function_call_expression function: (name) @call)
(member_call_expression name: (name) @call)
(scoped_call_expression name: (name) @call)
(class_declaration name: (_) @given)
(interface_declaration name: (_) @given)
(trait_declaration name: (_) @given)
(enum_declaration name: (_) @given)
(function_definition name: (_) @given)
(method_declaration name: (_) @given)
(namespace_use_declaration) @apart
(namespace_definition name: (_) @apart)
