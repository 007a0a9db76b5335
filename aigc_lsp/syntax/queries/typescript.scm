; What TypeScript adds to javascript.scm.

;;; scopes
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(internal_module name: (_) @name) @module
(module name: (_) @name) @module

(public_field_definition
  name: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression !name body: (_) @body)]) @function

;;; places
(interface_body . "{" @open) @block
(enum_body . "{" @open) @block

;;; definitions
(public_field_definition name: (_) @name value: (_) @value) @variable
(public_field_definition name: (_) @name !value) @variable
(property_signature name: (_) @name) @variable
(enum_body name: (_) @name @constant)
(enum_assignment name: (_) @name) @constant
(type_alias_declaration name: (_) @name value: (_) @value) @type
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @function
(abstract_method_signature name: (_) @name) @function
(ambient_declaration) @outer
(object_type) @local

;;; names
(type_identifier) @type
(class_heritage (extends_clause value: (identifier) @type))
(abstract_class_declaration name: (_) @given)
(interface_declaration name: (_) @given)
(enum_declaration name: (_) @given)
(type_alias_declaration name: (_) @given)
(function_signature name: (_) @given)
(method_signature name: (_) @given)
