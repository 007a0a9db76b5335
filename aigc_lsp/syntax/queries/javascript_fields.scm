; Class fields, which the JavaScript and TypeScript grammars name differently.

(field_definition property: (_) @name value: [(arrow_function) (function_expression !name)]) @function
