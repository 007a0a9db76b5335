; The captures are explained in python.scm.

;;; scopes
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(record_declaration name: (_) @name) @class
(annotation_type_declaration name: (_) @name) @class
(method_declaration name: (_) @name) @function
(constructor_declaration name: (_) @name) @function
(compact_constructor_declaration name: (_) @name) @function

;;; places
(block . "{" @open) @block
(class_body . "{" @open) @block
(interface_body . "{" @open) @block
(enum_body . "{" @open) @block
(annotation_type_body . "{" @open) @block
(constructor_body . "{" @open) @block
(switch_block . "{" @open) @block
(module_body . "{" @open) @block

(string_literal) @string
(character_literal) @string
(string_interpolation) @code
(line_comment) @line_comment
(block_comment) @comment

;;; definitions
(package_declaration [(scoped_identifier) (identifier)] @name) @package
(field_declaration declarator: (variable_declarator name: (_) @name value: (_) @value)) @variable
(field_declaration declarator: (variable_declarator name: (_) @name !value)) @variable
(constant_declaration declarator: (variable_declarator name: (_) @name)) @constant
(enum_constant name: (_) @name) @constant
(annotation_type_element_declaration name: (_) @name) @function
(marker_annotation) @attribute
(annotation) @attribute
(line_comment) @lead
(block_comment) @lead
(lambda_expression) @local

;;; imports
(import_declaration [(scoped_identifier) (identifier)] @module) @import
(import_declaration (asterisk) @all) @import

;;; names
(identifier) @name
(type_identifier) @type
(marker_annotation name: (identifier) @type)
(annotation name: (identifier) @type)
(method_invocation name: (identifier) @call)
(class_declaration name: (_) @given)
(interface_declaration name: (_) @given)
(enum_declaration name: (_) @given)
(record_declaration name: (_) @given)
(method_declaration name: (_) @given)
(constructor_declaration name: (_) @given)
(enum_constant name: (_) @given)
(import_declaration) @apart
(package_declaration) @apart
