; The captures are explained in python.scm.

;;; signatures
(class_declaration) @class
(interface_declaration) @class
(enum_declaration) @class
(record_declaration) @class
(annotation_type_declaration) @class
(method_declaration) @function
(constructor_declaration) @function.constructor
(compact_constructor_declaration) @function.constructor
(lambda_expression) @local
(object_creation_expression (class_body) @local)
(annotation) @decorator
(marker_annotation) @decorator
(line_comment) @comment
(block_comment) @comment

(formal_parameters (formal_parameter name: (identifier) @name) @parameter)
(formal_parameters (spread_parameter (variable_declarator name: (_) @name)) @parameter.rest)
(formal_parameters (spread_parameter [(type_identifier) (scoped_type_identifier) (generic_type) (integral_type) (floating_point_type) (boolean_type) (array_type)] @type (variable_declarator name: (_) @name)) @parameter.rest)
(type_parameters (type_parameter (type_identifier) @name) @generic)
(class_body (field_declaration declarator: (variable_declarator name: (identifier) @name)) @attribute)
(class_body (field_declaration declarator: (variable_declarator name: (identifier) @name value: (_) @value)) @attribute)
(enum_body_declarations (field_declaration declarator: (variable_declarator name: (identifier) @name)) @attribute)
(enum_constant) @attribute

(throws (_) @error @raise)
(throw_statement (object_creation_expression type: (_) @error)) @raise
(throw_statement (identifier) @value) @raise
(try_statement) @try
(try_with_resources_statement) @try
(catch_clause (catch_formal_parameter (catch_type (_) @caught) name: (identifier) @as)) @catch
(local_variable_declaration declarator: (variable_declarator name: (identifier) @name value: (object_creation_expression type: (_) @error))) @bound
