; What `Tree.place` asks about a cursor. The captures, the same in every language:
;   @class, @function with @name     a scope
;   @block with @open                a body, and the token that opens it; @header is the node that owns both
;   @string, @comment, @line_comment text that is not code; @code is code again, inside a string
;   @open.string, @open.code         a token that opens a string, or code in it; never closed if an ERROR owns it

(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function

; Named one by one: with a wildcard, the colons and blocks of a large ERROR would be paired each with each.
(class_definition ":" @open (block) @block) @header
(function_definition ":" @open (block) @block) @header
(if_statement ":" @open (block) @block) @header
(elif_clause ":" @open (block) @block) @header
(else_clause ":" @open (block) @block) @header
(for_statement ":" @open (block) @block) @header
(while_statement ":" @open (block) @block) @header
(with_statement ":" @open (block) @block) @header
(try_statement ":" @open (block) @block) @header
(except_clause ":" @open (block) @block) @header
(finally_clause ":" @open (block) @block) @header
(match_statement ":" @open (block) @block) @header
(case_clause ":" @open (block) @block) @header

(string) @string
(comment) @line_comment
(interpolation) @code

(string_start) @open.string
"{" @open.code
