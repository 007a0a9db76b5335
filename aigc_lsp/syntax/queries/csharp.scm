; The captures are explained in python.scm.

;;; scopes
(class_declaration name: (_) @name) @class
(struct_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(namespace_declaration name: (_) @name) @module
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(destructor_declaration name: (_) @name) @function
(local_function_statement name: (_) @name) @function
(property_declaration name: (_) @name accessors: (_) @body) @function
(property_declaration name: (_) @name value: (arrow_expression_clause) @body) @function

;;; places
(block . "{" @open) @block
(declaration_list . "{" @open) @block
(accessor_list . "{" @open) @block
(enum_member_declaration_list . "{" @open) @block
(switch_body . "{" @open) @block

(string_literal) @string
(verbatim_string_literal) @string
(raw_string_literal) @string
(character_literal) @string
(interpolated_string_expression) @string
(interpolation) @code
((comment) @line_comment (#match? @line_comment "^//"))
((comment) @comment (#match? @comment "^/[*]"))
(preproc_region) @text

;;; definitions
(file_scoped_namespace_declaration name: (_) @name) @package
(field_declaration (variable_declaration (variable_declarator name: (_) @name))) @variable
(event_field_declaration (variable_declaration (variable_declarator name: (_) @name))) @variable
(enum_member_declaration name: (_) @name) @constant
(delegate_declaration name: (_) @name) @type
(attribute_list) @attribute
(comment) @lead
(lambda_expression) @local
(anonymous_method_expression) @local

;;; imports
(using_directive !name [(identifier) (qualified_name) (alias_qualified_name)] @module) @import
(using_directive name: (identifier) @as "=" (_) @module) @import

;;; names
(identifier) @name
(_ type: (identifier) @type)
(_ returns: (identifier) @type)
(generic_name (identifier) @type)
(type_argument_list (identifier) @type)
(base_list (identifier) @type)
(nullable_type (identifier) @type)
(array_type (identifier) @type)
(attribute name: (identifier) @type)
(invocation_expression function: (generic_name (identifier) @call))
(member_binding_expression name: (generic_name (identifier) @call))
(invocation_expression function: (member_access_expression name: (generic_name (identifier) @call)))
(class_declaration name: (_) @given)
(struct_declaration name: (_) @given)
(interface_declaration name: (_) @given)
(record_declaration name: (_) @given)
(enum_declaration name: (_) @given)
(method_declaration name: (_) @given)
(constructor_declaration name: (_) @given)
(property_declaration name: (_) @given)
(local_function_statement name: (_) @given)
(using_directive) @apart
(namespace_declaration name: (_) @apart)
(file_scoped_namespace_declaration name: (_) @apart)
