; What the grammars of JavaScript and TSX have and that of TypeScript has not.

;;; places
(jsx_text) @text

;;; names
(jsx_attribute (property_identifier) @given)
