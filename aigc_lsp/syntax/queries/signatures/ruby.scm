; The captures are explained in python.scm; @last is the statement that gives what a method returns.

;;; signatures
(class name: (_) @name @end) @class
(class name: (_) @name superclass: (_) @end) @class
(module name: (_) @name @end) @class
(method name: (_) @name @end) @function
(method name: (_) @name parameters: (_) @end) @function
(singleton_method name: (_) @name @end) @function.static
(singleton_method name: (_) @name parameters: (_) @end) @function.static
(lambda) @local
(call arguments: (argument_list . (method) .)) @outer
(comment) @comment

(method_parameters (identifier) @parameter)
(method_parameters (optional_parameter) @parameter)
(method_parameters (keyword_parameter) @parameter.keyword)
(method_parameters (splat_parameter) @parameter.rest)
(method_parameters (hash_splat_parameter) @parameter.keywords)
(method_parameters (block_parameter) @parameter.block)
((call !receiver method: (identifier) @_method arguments: (argument_list (simple_symbol) @name @attribute)) (#any-of? @_method "attr_accessor" "attr_reader" "attr_writer"))

(return (argument_list (_) @value)) @return
(method body: (body_statement (_) @last .))
(singleton_method body: (body_statement (_) @last .))
(yield) @yield
((call !receiver method: (identifier) @_method arguments: (argument_list . [(constant) (scope_resolution)] @error)) @raise (#any-of? @_method "raise" "fail"))
((call !receiver method: (identifier) @_method arguments: (argument_list . (call receiver: [(constant) (scope_resolution)] @error))) @raise (#any-of? @_method "raise" "fail"))
((call !receiver method: (identifier) @_method arguments: (argument_list . (string))) @raise.RuntimeError (#any-of? @_method "raise" "fail"))
((call !receiver method: (identifier) @_method arguments: (argument_list . (identifier) @value)) @raise (#any-of? @_method "raise" "fail"))
((body_statement (identifier) @raise) (#eq? @raise "raise"))
((then (identifier) @raise) (#eq? @raise "raise"))
((else (identifier) @raise) (#eq? @raise "raise"))
((if_modifier body: (identifier) @raise) (#eq? @raise "raise"))
((unless_modifier body: (identifier) @raise) (#eq? @raise "raise"))
(begin (rescue)) @try
(body_statement (rescue)) @try
(rescue) @catch
(rescue exceptions: (exceptions [(constant) (scope_resolution)] @caught)) @catch
(rescue variable: (exception_variable (identifier) @as)) @catch
(assignment left: (identifier) @name right: (call receiver: [(constant) (scope_resolution)] @error)) @bound
