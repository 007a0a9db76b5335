; What C++ adds to c.scm.

;;; scopes
(class_specifier name: (_) @name body: (_)) @class
(namespace_definition name: (_) @name) @module

;;; places
(requirement_seq . "{" @open) @block
(raw_string_literal) @string

;;; definitions
(alias_declaration name: (_) @name) @type
(concept_definition name: (_) @name) @type
(template_declaration) @outer
(lambda_expression) @local

;;; names
(namespace_identifier) @name
(call_expression function: (template_function name: (identifier) @call))
(call_expression function: (qualified_identifier name: (identifier) @call))
(call_expression function: (field_expression field: (template_method name: (field_identifier) @call)))
(function_declarator declarator: (field_identifier) @given)
(class_specifier name: (_) @given body: (_))
(namespace_definition name: (_) @apart)
(using_declaration) @apart
