; What C++ adds to c.scm. @access is who sees the members below it; @declarator is what a name is to be found in.

;;; signatures
(class_specifier body: (_)) @class
(namespace_definition name: (_) @name) @space
(template_declaration) @outer
(declaration declarator: (reference_declarator (function_declarator)) @declarator) @function.declared
(field_declaration declarator: (function_declarator) @declarator) @function
(field_declaration declarator: (pointer_declarator declarator: (function_declarator)) @declarator) @function
(field_declaration declarator: (reference_declarator (function_declarator)) @declarator) @function
(lambda_expression) @local

(parameter_list (optional_parameter_declaration declarator: (_) @declarator) @parameter)
(parameter_list (variadic_parameter_declaration declarator: (_) @declarator) @parameter.rest)
(template_parameter_list [(type_parameter_declaration (type_identifier) @name) (variadic_type_parameter_declaration (type_identifier) @name) (optional_type_parameter_declaration name: (_) @name)] @generic)
(template_parameter_list [(parameter_declaration declarator: (identifier) @name) (optional_parameter_declaration declarator: (identifier) @name)] @generic)
(access_specifier) @access
(class_specifier body: (field_declaration_list (field_declaration declarator: (_) @declarator) @attribute))

(throw_statement) @raise
(throw_statement (call_expression function: (_) @error)) @raise
(throw_statement (compound_literal_expression type: (_) @error)) @raise
(throw_statement (identifier) @value) @raise
(try_statement) @try
(catch_clause) @catch
(catch_clause parameters: (parameter_list (parameter_declaration type: (_) @caught))) @catch
(catch_clause parameters: (parameter_list (parameter_declaration declarator: [(identifier) @as (reference_declarator (identifier) @as)]))) @catch
