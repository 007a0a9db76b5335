; The captures are explained in python.scm.

;;; signatures
(struct_item) @class
(enum_item) @class
(union_item) @class
(trait_item) @class
(impl_item type: [(type_identifier) @name (generic_type type: (_) @name) (scoped_type_identifier name: (_) @name)]) @space.class
(mod_item name: (_) @name body: (_)) @space
(function_item) @function
(function_signature_item) @function
(closure_expression) @local
(attribute_item) @decorator
(line_comment) @comment
(block_comment) @comment

(self_parameter) @receiver
(parameters (parameter pattern: (_) @name) @parameter)
(type_parameters (type_parameter name: (_) @name) @generic)
(type_parameters (const_parameter name: (_) @name) @generic)
(struct_item body: (field_declaration_list (field_declaration name: (_) @name) @attribute))
(enum_variant) @attribute

((macro_invocation macro: (identifier) @_macro) @raise.panic (#any-of? @_macro "panic" "assert" "assert_eq" "assert_ne" "unimplemented"))
