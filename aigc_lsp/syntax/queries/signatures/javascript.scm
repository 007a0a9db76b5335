; What JavaScript and TypeScript have in common. The captures are explained in python.scm; @open is a statement at or
; behind which a function ends without a value.

;;; signatures
(class_declaration) @class
(lexical_declaration (variable_declarator name: (identifier) @name value: (class body: (_) @body) @scope)) @class
(export_statement "default" @name value: (class body: (_) @body) @scope) @class
(class) @local
(function_declaration) @function
(generator_function_declaration) @function
(method_definition) @function
(object (method_definition) @function.method)
(method_definition ["get" "set"]) @function.property
(lexical_declaration (variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)] @scope)) @function
(variable_declaration (variable_declarator name: (identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)] @scope)) @function
(expression_statement (assignment_expression left: [(identifier) @name (member_expression property: (property_identifier) @name)] right: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)] @scope)) @function
(pair key: (property_identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)] @scope) @function.method
(export_statement "default" @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body) (generator_function body: (_) @body)] @scope) @function
(arrow_function) @local
(function_expression) @local
(generator_function) @local
(export_statement declaration: (_)) @outer
(decorator) @decorator
(comment) @comment

(arrow_function parameter: (identifier) @parameter)
(object_pattern (shorthand_property_identifier_pattern) @piece)
(object_pattern (object_assignment_pattern left: (shorthand_property_identifier_pattern) @key right: (_) @value) @piece)
(object_pattern (pair_pattern key: (_) @key) @piece)
(object_pattern (pair_pattern key: (_) @key value: (assignment_pattern right: (_) @value)) @piece)
(array_pattern [(identifier) (assignment_pattern) (object_pattern) (array_pattern)] @piece.item)

(assignment_expression left: (member_expression object: (this) @key property: (property_identifier) @name)) @attribute.assigned

(return_statement (_) @value) @return
(arrow_function body: (expression) @value @return)
((return_statement) @open (#match? @open "^return\\s*;?$"))
(function_declaration body: (statement_block [(if_statement !alternative) (expression_statement) (for_in_statement) (lexical_declaration)] @open .))
(function_expression body: (statement_block [(if_statement !alternative) (expression_statement) (for_in_statement) (lexical_declaration)] @open .))
(arrow_function body: (statement_block [(if_statement !alternative) (expression_statement) (for_in_statement) (lexical_declaration)] @open .))
(method_definition body: (statement_block [(if_statement !alternative) (expression_statement) (for_in_statement) (lexical_declaration)] @open .))
(yield_expression) @yield
(throw_statement (_) @value) @raise
(throw_statement (new_expression constructor: (_) @error)) @raise
(throw_statement (call_expression function: (_) @error)) @raise
(try_statement handler: (_)) @try
(catch_clause) @catch
(catch_clause parameter: (identifier) @as) @catch
(variable_declarator name: (identifier) @name value: (new_expression constructor: (_) @error)) @bound
(assignment_expression left: (identifier) @name right: (new_expression constructor: (_) @error)) @bound
