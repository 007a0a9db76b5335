; What a docstring tells of. The file is the @module. The captures are the same in every language; what follows a dot is a sort of it.
;
;   @class, @function         with @name, @body, and @end, the last of the header where that is not all before the body; @scope where the node with the parameters is another one
;   @outer                    what belongs to the one definition that it ends with (`export`, decorators)
;   @space                    what else gives its @name to those in it; in @space.class functions are methods; @owner is
;                             the class of a method that stands outside of it, @receiver says that it has an object
;   @local                    a function without a name: what it returns or raises is its own
;   @decorator, @comment      those right above a definition, or between its beginning and its name, belong to it
;   @doc                      a docstring
;   @parameter, @generic      with @name, @type, @value (its default) and @optional; sorts are those of `Parameter.kind`,
;                             and `pattern`; @separator.positional and .keyword: those before it, those behind it
;   @piece                    what is taken apart in a parameter, with @key, @value
;   @attribute                of a class; @attribute.assigned, of the object, in a function
;   @return, @yield           with @value
;   @raise                    with @error, a class; @value where it is something else; nothing where it is raised again
;   @try with @body, @catch   with @caught, and @as, the name that it gets; the @catch are in the @try
;   @bound                    a @name that is given a new @error

;;; signatures
(module) @module
(class_definition ":" @end) @class
(function_definition ":" @end) @function
(lambda) @local
(decorated_definition) @outer
(decorator) @decorator
(comment) @comment
(module . (comment)* . (expression_statement . [(string) (concatenated_string)] @doc))
(class_definition body: (block . (comment)* . (expression_statement . [(string) (concatenated_string)] @doc)))
(function_definition body: (block . (comment)* . (expression_statement . [(string) (concatenated_string)] @doc)))

(parameters (identifier) @parameter)
(parameters (default_parameter) @parameter)
(parameters (typed_default_parameter) @parameter)
(parameters (typed_parameter . (identifier) @name) @parameter)
(parameters (list_splat_pattern (identifier) @name) @parameter.rest)
(parameters (dictionary_splat_pattern (identifier) @name) @parameter.keywords)
(parameters (typed_parameter . (list_splat_pattern (identifier) @name)) @parameter.rest)
(parameters (typed_parameter . (dictionary_splat_pattern (identifier) @name)) @parameter.keywords)
(parameters (positional_separator) @separator.positional)
(parameters (keyword_separator) @separator.keyword)
(class_definition type_parameters: (type_parameter (type) @generic))
(function_definition type_parameters: (type_parameter (type) @generic))

(class_definition body: (block (expression_statement (assignment left: (identifier) @name) @attribute)))
(assignment left: (attribute object: (identifier) @key attribute: (identifier) @name)) @attribute.assigned

(return_statement (_) @value) @return
(yield) @yield
(raise_statement) @raise
(raise_statement . (call function: (_) @error)) @raise
(raise_statement . [(identifier) (attribute)] @value) @raise
(try_statement) @try
(except_clause) @catch
(except_clause value: [(identifier) (attribute)] @caught) @catch
(except_clause value: (tuple (_) @caught)) @catch
(except_clause value: (as_pattern . [(identifier) (attribute)] @caught)) @catch
(except_clause value: (as_pattern . (tuple (_) @caught))) @catch
(except_clause value: (as_pattern alias: (as_pattern_target (identifier) @as))) @catch
(assignment left: (identifier) @name right: (call function: (_) @error)) @bound
