; The captures are explained in python.scm; @package is the clause that a package's comment stands above.

;;; signatures
(package_clause) @package
(type_spec) @class
(type_spec type: (struct_type (field_declaration_list) @body)) @class
(type_spec type: (interface_type) @body) @class
(type_declaration) @outer
(function_declaration) @function
(method_declaration) @function.method
(method_declaration receiver: (parameter_list (parameter_declaration type: [(type_identifier) @owner (generic_type type: (_) @owner) (pointer_type (type_identifier) @owner) (pointer_type (generic_type type: (_) @owner))]))) @function.method
(method_elem) @function.method
(func_literal) @local
(function_type) @local
(comment) @comment

(function_declaration parameters: (parameter_list (parameter_declaration name: (identifier) @name) @parameter))
(method_declaration parameters: (parameter_list (parameter_declaration name: (identifier) @name) @parameter))
(method_elem parameters: (parameter_list (parameter_declaration name: (identifier) @name) @parameter))
(function_declaration parameters: (parameter_list (variadic_parameter_declaration name: (identifier) @name) @parameter.rest))
(method_declaration parameters: (parameter_list (variadic_parameter_declaration name: (identifier) @name) @parameter.rest))
(method_elem parameters: (parameter_list (variadic_parameter_declaration name: (identifier) @name) @parameter.rest))
(type_parameter_declaration name: (identifier) @name) @generic
(type_spec type: (struct_type (field_declaration_list (field_declaration name: (field_identifier) @name) @attribute)))
