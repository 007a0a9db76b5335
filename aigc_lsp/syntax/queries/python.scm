; What `Tree.place` asks about a cursor. The captures, the same in every language:
;   @class, @function with @name     a scope
;   @block with @open                a body, and the token that opens it; @header is the node that owns both
;   @string, @comment, @line_comment text that is not code; @code is code again, inside a string
;   @open.string, @open.code         the same, opened and never closed

(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function

(_ ":" @open (block) @block) @header

(string) @string
(comment) @line_comment
(interpolation) @code

(ERROR (string_start) @open.string)
((ERROR (string_start) @_start "{" @open.code) (#match? @_start "^[rR]*[fFtT]"))
