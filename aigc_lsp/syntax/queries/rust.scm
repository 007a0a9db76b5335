; The captures are explained in python.scm.

;;; scopes
(struct_item name: (_) @name) @class
(enum_item name: (_) @name) @class
(union_item name: (_) @name) @class
(trait_item name: (_) @name) @class
(impl_item type: (type_identifier) @name) @class
(impl_item type: (generic_type type: (type_identifier) @name)) @class
(impl_item type: (generic_type type: (scoped_type_identifier name: (_) @name))) @class
(impl_item type: (scoped_type_identifier name: (_) @name)) @class
(mod_item name: (_) @name body: (_)) @module
(function_item name: (_) @name) @function

;;; places
(block . "{" @open) @block
(declaration_list . "{" @open) @block
(field_declaration_list . "{" @open) @block
(enum_variant_list . "{" @open) @block
(match_block . "{" @open) @block

(string_literal) @string
(raw_string_literal) @string
(char_literal) @string
(line_comment) @line_comment
(block_comment) @comment

;;; definitions
(function_signature_item name: (_) @name) @function
(macro_definition name: (_) @name) @function
(macro_definition "{" @brace)
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @variable
(type_item name: (_) @name) @type
(associated_type name: (_) @name) @type
(enum_variant name: (_) @name) @constant
(field_declaration name: (_) @name) @variable
(attribute_item) @attribute
(line_comment) @lead
(block_comment) @lead
(closure_expression) @local

;;; imports
(use_declaration argument: (_) @module) @import
(mod_item name: (_) @module !body) @import

;;; names
(identifier) @name
(field_identifier) @name
(shorthand_field_identifier) @name
(type_identifier) @type
(call_expression function: (identifier) @call)
(call_expression function: (scoped_identifier name: (_) @call))
(call_expression function: (field_expression field: (_) @call))
(call_expression function: (generic_function function: (identifier) @call))
(call_expression function: (generic_function function: (scoped_identifier name: (_) @call)))
(call_expression function: (generic_function function: (field_expression field: (_) @call)))
(macro_invocation macro: (identifier) @call)
(struct_item name: (_) @given)
(enum_item name: (_) @given)
(trait_item name: (_) @given)
(function_item name: (_) @given)
(function_signature_item name: (_) @given)
(macro_definition name: (_) @given)
(field_initializer field: (_) @given)
(use_declaration) @apart
(mod_item name: (_) @given)
(attribute_item) @apart
