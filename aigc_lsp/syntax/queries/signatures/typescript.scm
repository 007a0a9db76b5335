; TypeScript's own. The captures are explained in python.scm.

;;; signatures
(abstract_class_declaration) @class
(interface_declaration) @class
(enum_declaration) @class
(type_alias_declaration name: (_) @name value: (object_type) @body @scope) @class
(function_signature) @function.overload
(class_body (method_signature) @function.overload)
(abstract_method_signature) @function
(interface_body (method_signature) @function)
(public_field_definition name: (property_identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)] @scope) @function
(public_field_definition name: (property_identifier) @name value: [(arrow_function return_type: (_) @type body: (_) @body) (function_expression return_type: (_) @type body: (_) @body)] @scope) @function
(lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function return_type: (_) @type) (function_expression return_type: (_) @type) (generator_function return_type: (_) @type)] @scope)) @function
(variable_declaration (variable_declarator name: (identifier) @name value: [(arrow_function return_type: (_) @type) (function_expression return_type: (_) @type)] @scope)) @function
(expression_statement (assignment_expression left: [(identifier) @name (member_expression property: (property_identifier) @name)] right: [(arrow_function return_type: (_) @type) (function_expression return_type: (_) @type)] @scope)) @function
(pair key: (property_identifier) @name value: [(arrow_function return_type: (_) @type) (function_expression return_type: (_) @type)] @scope) @function.method
(export_statement "default" @name value: [(arrow_function return_type: (_) @type) (function_expression return_type: (_) @type)] @scope) @function
(ambient_declaration) @outer
(function_type) @local
(constructor_type) @local
(object_type) @local
(call_signature) @local
(construct_signature) @local

(required_parameter pattern: (identifier) @name) @parameter
(optional_parameter pattern: (identifier) @name "?" @optional) @parameter
(required_parameter pattern: (rest_pattern (identifier) @name)) @parameter.rest
(required_parameter pattern: [(object_pattern) (array_pattern)] @name) @parameter.pattern
(optional_parameter pattern: [(object_pattern) (array_pattern)] @name "?" @optional) @parameter.pattern
(type_parameters (type_parameter name: (_) @name) @generic)

(class_body (public_field_definition name: (property_identifier) @name) @attribute)
(interface_body (property_signature name: (property_identifier) @name) @attribute)
(type_alias_declaration value: (object_type (property_signature name: (property_identifier) @name) @attribute))
(enum_body (property_identifier) @attribute)
(enum_body (enum_assignment name: (_) @name) @attribute)
(required_parameter (accessibility_modifier) pattern: (identifier) @name) @attribute.assigned
(required_parameter "readonly" pattern: (identifier) @name) @attribute.assigned
