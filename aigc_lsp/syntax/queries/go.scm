; The captures are explained in python.scm.

;;; scopes
(type_spec name: (_) @name type: [(struct_type) (interface_type)]) @class
(function_declaration name: (_) @name) @function
(method_declaration name: (_) @name) @method

;;; places
(block . "{" @open) @block
(field_declaration_list . "{" @open) @block
(interface_type "{" @open) @block
(expression_switch_statement "{" @open) @block
(type_switch_statement "{" @open) @block
(select_statement "{" @open) @block

(interpreted_string_literal) @string
(raw_string_literal) @string
(rune_literal) @string
((comment) @line_comment (#match? @line_comment "^//"))
((comment) @comment (#match? @comment "^/[*]"))

;;; definitions
(package_clause (_) @name) @package
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(const_spec (identifier) @name) @constant
(var_spec name: (identifier) @name value: (_) @value) @variable
(var_spec name: (identifier) @name !value) @variable
(field_declaration name: (_) @name) @variable
(method_elem name: (_) @name) @function

(type_spec type: (struct_type (field_declaration_list "{" @brace)))
(type_spec type: (interface_type "{" @brace))
(method_declaration receiver: (parameter_list (parameter_declaration type: (type_identifier) @owner)))
(method_declaration receiver: (parameter_list (parameter_declaration type: (generic_type type: (_) @owner))))
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (pointer_type (type_identifier) @owner))))
(method_declaration
  receiver: (parameter_list (parameter_declaration type: (pointer_type (generic_type type: (_) @owner)))))
(type_declaration) @outer
(const_declaration) @outer
(var_declaration) @outer
(comment) @lead
(func_literal) @local

;;; imports
(import_spec path: (_ (_) @module)) @import
(import_spec name: (package_identifier) @as) @import
(import_spec name: (blank_identifier) @as) @import
(import_spec name: (dot) @all) @import

;;; names
(identifier) @name
(field_identifier) @name
(type_identifier) @type
(call_expression function: (identifier) @call)
(call_expression function: (selector_expression field: (_) @call))
(type_spec name: (_) @given)
(type_alias name: (_) @given)
(function_declaration name: (_) @given)
(method_declaration name: (_) @given)
(method_elem name: (_) @given)
(keyed_element key: (literal_element (identifier) @given))
(import_declaration) @apart
(package_clause) @apart
