; The captures are explained in python.scm.

;;; signatures
(class_declaration) @class
(struct_declaration) @class
(interface_declaration) @class
(record_declaration) @class
(enum_declaration) @class
(method_declaration) @function
(local_function_statement) @function
(delegate_declaration) @function
(constructor_declaration) @function.constructor
(property_declaration) @function.property
(property_declaration accessors: (_) @body) @function.property
(property_declaration value: (arrow_expression_clause) @body) @function.property
(lambda_expression) @local
(anonymous_method_expression) @local
(attribute_list) @decorator
(comment) @comment

(parameter_list (parameter name: (identifier) @name) @parameter)
(parameter_list (parameter name: (identifier) @name "=" . (_) @value) @parameter)
(parameter_list type: (_) @type name: (identifier) @name @parameter.rest)
(type_parameter_list (type_parameter name: (_) @name) @generic)
(field_declaration (variable_declaration type: (_) @type (variable_declarator name: (_) @name))) @attribute
(enum_member_declaration) @attribute

(yield_statement (_) @value) @yield
(throw_statement) @raise
(throw_statement (object_creation_expression type: (_) @error)) @raise
(throw_statement (identifier) @value) @raise
(throw_expression (object_creation_expression type: (_) @error)) @raise
(try_statement) @try
(catch_clause) @catch
(catch_clause (catch_declaration type: (_) @caught)) @catch
(catch_clause (catch_declaration name: (identifier) @as)) @catch
(catch_clause (catch_filter_clause)) @catch.filtered
(variable_declaration (variable_declarator name: (identifier) @name (object_creation_expression type: (_) @error))) @bound
