; What TypeScript adds to javascript.scm.

(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(internal_module name: (_) @name) @class

(public_field_definition name: (_) @name value: [(arrow_function) (function_expression !name)]) @function

(interface_body . "{" @open) @block
(enum_body . "{" @open) @block
