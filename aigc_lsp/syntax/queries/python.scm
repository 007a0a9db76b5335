; What is asked of a tree, in five parts. The captures are the same in every language.
;
; scopes: what has a name and a body. Asked about a cursor and about a file.
;   @class, @module, @function, @method   with @name; @body where the grammar does not call it so
; places: what else a cursor can be in.
;   @block with @open                 a body, and the token that opens it; @header is the node that owns both
;   @string, @comment, @line_comment  text that is not code; @code is code again, inside a string
;   @text                             is code to the cursor, but its quotes mean nothing
; definitions: what else a file defines.
;   @type, @constant, @variable       as in scopes; @value is what is given to it
;   @package                          a module that holds all that follows it
;   @outer                            what belongs to the one definition in it (`export`, a template's parameters)
;   @attribute, @lead                 decorators, and comments: before a definition they belong to it
;   @doc, @end, @brace, @owner        of the definition around it: its docstring, where its header ends, where its body
;                                     begins, the class that it is a method of
;   @local                            constants and variables in here are nobody else's business
; imports
;   @import with @module              @as is the name that the module gets, @all says that it brings all its names;
;                                     @item, @alias: a name from it, and the name it gets; @default: its main thing
; names: what is used.
;   @name, @type, @call               @given is a name that is given here, not used; nothing in @apart is used either

;;; scopes
(class_definition name: (identifier) @name) @class
(function_definition name: (identifier) @name) @function

;;; places
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

;;; definitions
(expression_statement (assignment left: (identifier) @name right: (_) @value) @variable)
(expression_statement (assignment left: (identifier) @name !right) @variable)
(type_alias_statement left: (type (identifier) @name)) @type
(type_alias_statement left: (type (generic_type (identifier) @name))) @type

(class_definition ":" @end)
(function_definition ":" @end)
(class_definition body: (block . (expression_statement (string) @doc)))
(function_definition body: (block . (expression_statement (string) @doc)))
(decorated_definition) @outer
(decorator) @attribute

;;; imports
(import_statement name: (dotted_name) @module) @import
(import_statement name: (aliased_import name: (_) @module alias: (_) @as)) @import
(import_from_statement module_name: (_) @module) @import
(import_from_statement name: (dotted_name) @item) @import
(import_from_statement name: (aliased_import name: (_) @item alias: (_) @alias)) @import
(import_from_statement (wildcard_import) @all) @import
(future_import_statement "__future__" @module name: (dotted_name) @item) @import

;;; names
(identifier) @name
(type (identifier) @type)
(type (attribute attribute: (identifier) @type))
(type (binary_operator (identifier) @type))
(generic_type (identifier) @type)
(union_type (type (identifier) @type))
(member_type (identifier) @type)
(class_definition superclasses: (argument_list (identifier) @type))
(class_definition superclasses: (argument_list (attribute attribute: (identifier) @type)))
(class_definition name: (identifier) @given)
(function_definition name: (identifier) @given)
(keyword_argument name: (identifier) @given)
(import_statement) @apart
(import_from_statement) @apart
(future_import_statement) @apart
