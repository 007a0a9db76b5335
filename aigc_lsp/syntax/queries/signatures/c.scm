; The captures are explained in python.scm; @declarator is what a name is to be found in.

;;; signatures
(struct_specifier body: (_)) @class
(union_specifier body: (_)) @class
(enum_specifier body: (_)) @class
(type_definition type: [(struct_specifier body: (_) @body) (union_specifier body: (_) @body) (enum_specifier body: (_) @body)] declarator: (type_identifier) @name) @class
(function_definition declarator: (_) @declarator) @function
(declaration declarator: (function_declarator) @declarator) @function.declared
(declaration declarator: (pointer_declarator declarator: (function_declarator)) @declarator) @function.declared
(declaration declarator: (pointer_declarator declarator: (pointer_declarator declarator: (function_declarator))) @declarator) @function.declared
(comment) @comment

(parameter_list (parameter_declaration declarator: (_) @declarator) @parameter)
"..." @parameter.rest
(struct_specifier body: (field_declaration_list (field_declaration declarator: (_) @declarator) @attribute))
(union_specifier body: (field_declaration_list (field_declaration declarator: (_) @declarator) @attribute))
(enumerator) @attribute
