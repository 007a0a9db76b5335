; The captures are explained in python.scm. A header ends with its line, so the last node of it is what opens.

;;; scopes
(class name: (_) @name) @class
(module name: (_) @name) @module
(method name: (_) @name) @function
(singleton_method name: (_) @name) @function

;;; places
(class name: (_) @open !superclass) @block
(class superclass: (_) @open) @block
(singleton_class value: (_) @open) @block
(module name: (_) @open) @block
(method name: (_) @open !parameters) @block
(method parameters: (_) @open) @block
(singleton_method name: (_) @open !parameters) @block
(singleton_method parameters: (_) @open) @block
(if condition: (_) @open) @block
(unless condition: (_) @open) @block
(elsif condition: (_) @open) @block
(else . "else" @open) @block
(then . "then" @open) @block
(while condition: (_) @open) @block
(until condition: (_) @open) @block
(for value: (_) @open) @block
(do . "do" @open) @block
(begin . "begin" @open) @block
(rescue "rescue" @open !exceptions !variable) @block
(rescue exceptions: (_) @open !variable) @block
(rescue variable: (_) @open) @block
(ensure . "ensure" @open) @block
(case value: (_) @open) @block
(case_match value: (_) @open) @block
(when pattern: (_) @open) @block
(in_clause pattern: (_) @open) @block
(do_block . "do" @open) @block
(do_block parameters: (_) @open) @block
(block . "{" @open) @block
(block parameters: (_) @open) @block

(string) @string
(string_array) @string
(symbol_array) @string
(subshell) @string
(regex) @string
(delimited_symbol) @string
(heredoc_body) @string
(character) @string
(interpolation) @code
((comment) @line_comment (#match? @line_comment "^#"))
((comment) @comment (#match? @comment "^=begin"))
(uninterpreted) @text

;;; definitions
(class name: (_) @end !superclass)
(class superclass: (_) @end)
(module name: (_) @end)
(method name: (_) @end !parameters)
(method parameters: (_) @end)
(singleton_method name: (_) @end !parameters)
(singleton_method parameters: (_) @end)
(assignment left: (constant) @name right: (_) @value) @constant
((call method: (identifier) @_attr arguments: (argument_list (simple_symbol) @name)) @variable
  (#match? @_attr "^attr_"))
(comment) @lead

;;; imports
((call method: (identifier) @_require arguments: (argument_list . (string (string_content) @module))) @import
  (#match? @_require "^(require|require_relative|load)$"))

;;; names
(identifier) @name
(constant) @name
(instance_variable) @name
(class_variable) @name
(global_variable) @name
(call method: (_) @call)
(superclass (constant) @type)
(superclass (scope_resolution name: (constant) @type))
(class name: (constant) @given)
(module name: (constant) @given)
(method name: (_) @given)
(singleton_method name: (_) @given)
((call method: (identifier) @_require) @apart (#match? @_require "^(require|require_relative|load)$"))
