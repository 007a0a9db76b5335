; JavaScript's own. The captures are explained in python.scm.

;;; signatures
(class_body (field_definition property: (property_identifier) @name value: [(arrow_function body: (_) @body) (function_expression body: (_) @body)] @scope) @function)
(class_body (field_definition property: (property_identifier) @name) @attribute)
(formal_parameters (identifier) @parameter)
(formal_parameters (assignment_pattern left: (identifier) @name) @parameter)
(formal_parameters (rest_pattern (identifier) @name) @parameter.rest)
(formal_parameters [(object_pattern) (array_pattern)] @parameter.pattern)
(formal_parameters (assignment_pattern left: [(object_pattern) (array_pattern)] @name) @parameter.pattern)
