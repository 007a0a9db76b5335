; The captures are explained in python.scm.

;;; scopes
(function_definition name: (_) @name) @function

;;; places
(compound_statement . "{" @open) @block
(subshell . "(" @open) @block
(do_group . "do" @open) @block
(if_statement "then" @open) @block
(elif_clause "then" @open) @block
(else_clause "else" @open) @block
(case_statement "in" @open) @block
(case_item ")" @open) @block

(string) @string
(raw_string) @string
(ansi_c_string) @string
(heredoc_body) @string
(command_substitution) @code
(expansion) @code
(comment) @line_comment

;;; definitions
(variable_assignment name: (variable_name) @name value: (_) @value) @variable
(declaration_command "readonly" (variable_assignment name: (variable_name) @name)) @constant
(comment) @lead
(subshell) @local
(command_substitution) @local

;;; imports
((command name: (command_name (word) @_source) . argument: [(word) (string) (raw_string) (concatenation)] @module) @import
  (#any-of? @_source "source" "."))

;;; names
(variable_name) @name
(command_name (word) @call)
(function_definition name: (_) @given)
((command name: (command_name (word) @_source)) @apart (#any-of? @_source "source" "."))
