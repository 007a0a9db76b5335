; The captures are explained in python.scm; @argument is where a function reads what it is called with,
; @given a variable that gets something.

;;; signatures
(function_definition) @function
(comment) @comment
(simple_expansion) @argument
(expansion) @argument
(variable_assignment) @given
((command name: (command_name) @_name argument: (_) @value) @return (#eq? @_name "return"))
