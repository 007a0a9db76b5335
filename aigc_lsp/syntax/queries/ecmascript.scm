; What the JavaScript grammar has and the TypeScript grammar has not.

;;; scopes
(field_definition
  property: (_) @name
  value: [(arrow_function body: (_) @body) (function_expression !name body: (_) @body)]) @function

;;; definitions
(field_definition property: (_) @name value: (_) @value) @variable
(field_definition property: (_) @name !value) @variable

;;; names
(class_heritage (identifier) @type)
(class_heritage (member_expression property: (_) @type))
