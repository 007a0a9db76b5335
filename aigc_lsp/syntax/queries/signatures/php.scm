; The captures are explained in python.scm.

;;; signatures
(class_declaration) @class
(interface_declaration) @class
(trait_declaration) @class
(enum_declaration) @class
(function_definition) @function
(method_declaration) @function
(anonymous_function) @local
(arrow_function) @local
(anonymous_class) @local
(attribute_list) @decorator
(comment) @comment

(formal_parameters (simple_parameter) @parameter)
(formal_parameters (variadic_parameter) @parameter.rest)
(formal_parameters (property_promotion_parameter) @parameter)
(formal_parameters (property_promotion_parameter) @attribute.assigned)
(property_declaration (property_element name: (_) @name)) @attribute
(property_declaration type: (_) @type (property_element name: (_) @name)) @attribute
(enum_case) @attribute

(return_statement (_) @value) @return
(yield_expression) @yield
(throw_expression (object_creation_expression [(name) (qualified_name)] @error)) @raise
(throw_expression (variable_name) @value) @raise
(try_statement) @try
(catch_clause type: (type_list (_) @caught)) @catch
(catch_clause name: (variable_name) @as) @catch
(assignment_expression left: (variable_name) @name right: (object_creation_expression [(name) (qualified_name)] @error)) @bound
