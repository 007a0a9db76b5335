; The captures are explained in python.scm.

(class_declaration name: (_) @name) @class
(class name: (_) @name) @class

(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(function_expression name: (_) @name) @function
(method_definition name: (_) @name) @function
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression !name)]) @function
(assignment_expression left: (_) @name right: [(arrow_function) (function_expression !name)]) @function
(pair key: (_) @name value: [(arrow_function) (function_expression !name)]) @function

(statement_block . "{" @open) @block
(class_body . "{" @open) @block
(switch_body . "{" @open) @block

(string) @string
(template_string) @string
(regex) @string
(template_substitution) @code
((comment) @line_comment (#match? @line_comment "^//"))
((comment) @comment (#match? @comment "^/[*]"))
(hash_bang_line) @line_comment

["\"" "'" "`"] @open.string
"${" @open.code
