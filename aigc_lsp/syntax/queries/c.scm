; C, and what C++ shares with it. The captures are explained in python.scm; a @declarator is what holds a @name.

;;; scopes
(struct_specifier name: (_) @name body: (_)) @class
(union_specifier name: (_) @name body: (_)) @class
(enum_specifier name: (_) @name body: (_)) @class
(type_definition type: (struct_specifier !name body: (_) @body) declarator: (type_identifier) @name) @class
(type_definition type: (union_specifier !name body: (_) @body) declarator: (type_identifier) @name) @class
(type_definition type: (enum_specifier !name body: (_) @body) declarator: (type_identifier) @name) @class
(function_definition declarator: (_) @declarator) @function

;;; places
(compound_statement . "{" @open) @block
(field_declaration_list . "{" @open) @block
(enumerator_list . "{" @open) @block
(declaration_list . "{" @open) @block

(string_literal) @string
(char_literal) @string
(system_lib_string) @string
(preproc_arg) @text
((comment) @line_comment (#match? @line_comment "^//"))
((comment) @comment (#match? @comment "^/[*]"))

;;; definitions
(preproc_def name: (_) @name) @constant
(preproc_function_def name: (_) @name) @function
(enumerator name: (_) @name) @constant
(type_definition type: (_ body: (_) @body) declarator: (_) @declarator) @type
(type_definition declarator: (_) @declarator) @type
(declaration declarator: (_) @declarator) @variable
(field_declaration declarator: (_) @declarator) @variable
(init_declarator value: (_) @value)
(comment) @lead

;;; imports
(preproc_include path: (_) @module) @import

;;; names
(identifier) @name
(field_identifier) @name
(type_identifier) @type
(call_expression function: (identifier) @call)
(call_expression function: (field_expression field: (field_identifier) @call))
(function_declarator declarator: (identifier) @given)
(struct_specifier name: (_) @given body: (_))
(enum_specifier name: (_) @given body: (_))
(preproc_def name: (_) @given)
(preproc_function_def name: (_) @given)
(enumerator name: (_) @given)
