;;; aigc-server.el --- aigc-lsp beside, or in, Eglot  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; The language server of `aigc-mode', and what it is told of a buffer.  Eglot has
;; one server for a buffer, and people want that to be the one of their language;
;; so this is a connection of its own, unless `aigc-through-eglot' says otherwise.

;;; Code:

(require 'cl-lib)
(require 'eglot)
(require 'jsonrpc)
(require 'project)
(require 'url-util)

(declare-function aigc--display "aigc")

(defgroup aigc nil
  "Ghost-text completion by a model on your own machine."
  :group 'convenience
  :prefix "aigc-")

(defcustom aigc-command '("aigc-lsp" "serve")
  "Program and arguments of the language server."
  :type '(repeat string))

(defcustom aigc-through-eglot nil
  "Whether it is Eglot that runs the language server.
Then `eglot-server-programs' has to name `aigc-eglot-server' as the class."
  :group 'aigc
  :type 'boolean)

(defcustom aigc-settings nil
  "Settings for the server, as a property list that becomes JSON.
For example (:model \"smollm2-135m\" :completion (:max_lines 12)); the command
\"aigc-lsp config\" lists them.  They hold from the server's next start."
  :type 'plist)

;;;; The language server: one for each project, or Eglot's.

(defclass aigc-client ()
  ((status :initform nil :accessor aigc--status :documentation "The last `aigc/status', a property list.")
   (asked :initform nil :accessor aigc--asked :documentation "The id of the completion request under way."))
  :documentation "What we know of a server.")

(defclass aigc-eglot-server (aigc-client eglot-lsp-server) ()
  :documentation "An aigc-lsp that Eglot runs.")

(defclass aigc-server (aigc-client jsonrpc-process-connection)
  ((root :initarg :root :accessor aigc--root :documentation "The folder that it serves.")
   (ready :initform nil :accessor aigc--ready :documentation "Whether it has answered `initialize'."))
  :documentation "An aigc-lsp that we run ourselves.")

(defvar aigc--servers nil "Those that we run ourselves.")
(defvar-local aigc--own nil "The server that has this buffer open, if we run it.")

(defun aigc--server ()
  "The server that serves this buffer now, or nil."
  (cond ((not aigc-through-eglot) (and aigc--own (jsonrpc-running-p aigc--own) (aigc--ready aigc--own) aigc--own))
        ((eglot-managed-p) (let ((server (eglot-current-server))) (and (cl-typep server 'aigc-client) server)))))

(defun aigc--require-server ()
  "The server that serves this buffer, or an error."
  (or (aigc--server) (user-error "No aigc-lsp serves this buffer (yet)")))

(cl-defmethod jsonrpc-connection-send :before ((server aigc-client) &key id method &allow-other-keys)
  "Keep the ID of SERVER's completion request: jsonrpc.el does not hand it out.
METHOD says which request it is."
  (when (eq method :textDocument/inlineCompletion)
    (setf (aigc--asked server) id)))

(defconst aigc--experimental '(:aigcStatus t :aigc (:show t)))

(cl-defmethod eglot-client-capabilities ((_server aigc-eglot-server))
  "What Eglot can do, and what we add to it."
  (let* ((all (copy-tree (cl-call-next-method)))
         (document (plist-put (plist-get all :textDocument) :inlineCompletion '(:dynamicRegistration :json-false))))
    (plist-put (plist-put all :textDocument document) :experimental aigc--experimental)))

(cl-defmethod eglot-initialization-options ((_server aigc-eglot-server))
  "The user's settings."
  (or aigc-settings (make-hash-table)))

(cl-defmethod eglot-handle-notification ((server aigc-eglot-server) (_method (eql aigc/status)) &rest params)
  "SERVER's status is PARAMS."
  (aigc--notified server 'aigc/status params))

(cl-defmethod eglot-handle-notification ((server aigc-eglot-server) (_method (eql aigc/show)) &rest params)
  "SERVER wants PARAMS to be shown."
  (aigc--notified server 'aigc/show params))

(defun aigc--notified (server method params)
  "SERVER has sent the notification METHOD with PARAMS."
  (pcase method
    ('aigc/status (setf (aigc--status server) params) (force-mode-line-update t))
    ('aigc/show (aigc--display params))
    ('window/showMessage (message "aigc-lsp: %s" (plist-get params :message)))))

(defun aigc--requested (_server method params)
  "Answer the server's request METHOD with PARAMS."
  (pcase method
    ('workspace/configuration (vconcat (mapcar (lambda (_) aigc-settings) (plist-get params :items))))
    ('workspace/applyEdit (aigc--apply (plist-get params :edit)))
    (_ (jsonrpc-error :code -32601 :message (format "%s is not known here" method)))))

(defun aigc--connect (root)
  "Start a server for the folder ROOT."
  (let* ((default-directory root)
         ;; jsonrpc.el keeps buffers by that name, which two servers must not share.
         (name (format "aigc-lsp %s" (abbreviate-file-name root)))
         (stderr (get-buffer-create (format "*%s stderr*" name)))
         (start (lambda () (make-process :name name :command aigc-command :connection-type 'pipe :noquery t
                                         :coding 'utf-8-emacs-unix :stderr stderr)))
         (server (make-instance 'aigc-server :name name :root root :process start
                                :notification-dispatcher #'aigc--notified :request-dispatcher #'aigc--requested
                                :events-buffer-config '(:size 200000 :format short) :on-shutdown #'aigc--ended)))
    (push server aigc--servers)
    (jsonrpc-async-request
     server :initialize
     `( :processId ,(emacs-pid) :clientInfo (:name "aigc.el" :version "0.1.0") :rootUri ,(aigc--uri root)
        :workspaceFolders [(:uri ,(aigc--uri root) :name ,(file-name-nondirectory (directory-file-name root)))]
        :initializationOptions ,(or aigc-settings (make-hash-table))
        :capabilities ( :general (:positionEncodings ["utf-32"]) :experimental ,aigc--experimental
                        :workspace (:configuration t :applyEdit t :workspaceEdit (:documentChanges t))
                        :textDocument (:inlineCompletion (:dynamicRegistration :json-false))))
     :success-fn (lambda (_)
                   (jsonrpc-notify server :initialized (make-hash-table))
                   (setf (aigc--ready server) t)
                   (aigc--each-buffer server #'aigc--open))
     :error-fn (lambda (problem) (message "aigc-lsp did not start: %s" (plist-get problem :message)))
     :timeout 60)
    server))

(defun aigc--each-buffer (server function)
  "Call FUNCTION in each buffer that SERVER has open."
  (dolist (buffer (buffer-list))
    (when (eq server (buffer-local-value 'aigc--own buffer))
      (with-current-buffer buffer (funcall function)))))

(defun aigc--ended (server)
  "SERVER's process is no more."
  (when (memq server aigc--servers)
    (setq aigc--servers (delq server aigc--servers))
    (aigc--each-buffer server (lambda () (setq aigc--own nil)))
    (force-mode-line-update t)
    (message "aigc-lsp has ended; M-x aigc-restart starts it again")))

(defun aigc--serve (wanted)
  "Have a server of our own serve this buffer if WANTED, else no longer."
  (pcase-dolist (`(,hook ,function)
                 '((before-change-functions aigc--before-change) (after-change-functions aigc--after-change)
                   (kill-buffer-hook aigc--leave) (change-major-mode-hook aigc--leave)
                   (after-set-visited-file-name-hook aigc--renamed)))
    (if wanted (add-hook hook function nil t) (remove-hook hook function t)))
  (cond ((not wanted) (aigc--leave))
        ((and buffer-file-name (not aigc--own)) (aigc--join))))

(defun aigc--join ()
  "Have the project's server serve this buffer; it is started where there is none."
  (let* ((project (project-current))
         (root (file-truename (if project (project-root project) default-directory))))
    (setq aigc--own (or (seq-find (lambda (server) (equal root (aigc--root server))) aigc--servers)
                        (condition-case problem (aigc--connect root)
                          ;; An error would end the hooks of the mode that is being turned on.
                          (file-error (message "aigc-lsp: %s" (error-message-string problem)) nil))))
    (when (and aigc--own (aigc--ready aigc--own)) (aigc--open))))

(defun aigc--renamed ()
  "This buffer visits another file now, or one at last."
  (aigc--leave)
  (when buffer-file-name (aigc--join)))

(defun aigc--leave ()
  "Close this buffer's document, and soon the server if it was its last one."
  (when-let* ((server aigc--own))
    (when (and (aigc--ready server) (jsonrpc-running-p server))
      (jsonrpc-notify server :textDocument/didClose (list :textDocument (aigc--identifier))))
    (setq aigc--own nil)
    (run-at-time 1 nil #'aigc--end-unused server))) ; it may come back at once, in another mode

(defun aigc--end-unused (server)
  "End SERVER if it has no buffer any longer."
  (unless (seq-some (lambda (buffer) (eq server (buffer-local-value 'aigc--own buffer))) (buffer-list))
    (setq aigc--servers (delq server aigc--servers))
    (when (jsonrpc-running-p server)
      (jsonrpc-async-request server :shutdown nil :error-fn #'ignore
                             :success-fn (lambda (_) (jsonrpc-notify server :exit nil))))))

;;;; A document: Eglot's, or what we tell our own server of this buffer.

(defvar-local aigc--document nil "Its URI, by which the server knows it.")
(defvar-local aigc--tick nil "The buffer's tick as of the last change that we saw.")
(defvar-local aigc--version 0 "Of the document, as the server knows it.")
(defvar-local aigc--changes nil "What the server has not been told, the last first; t: everything.")
(defvar-local aigc--before nil "(BEG END RANGE) of the change that comes.")

(defun aigc--uri (file)
  "The URI of FILE."
  (concat "file://" (url-hexify-string file url-path-allowed-chars)))

(defun aigc--identifier ()
  "The TextDocumentIdentifier of this buffer."
  (if aigc-through-eglot (eglot--TextDocumentIdentifier) (list :uri aigc--document)))

(defun aigc--position (&optional pos)
  "POS, or point, as a position in UTF-32, which the server agrees to."
  (save-excursion
    (save-restriction
      (widen)
      (when pos (goto-char pos))
      (list :line (1- (line-number-at-pos nil t)) :character (- (point) (pos-bol))))))

(defun aigc--point (position)
  "The place in the buffer of the server's POSITION."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char (point-min))
      (forward-line (plist-get position :line))
      (min (+ (point) (plist-get position :character)) (pos-eol)))))

(defun aigc--range (beg end)
  "The range from BEG to END."
  (list :start (aigc--position beg) :end (aigc--position end)))

(defun aigc--text (beg end)
  "What is between BEG and END, as the server can take it.
JSON cannot say raw bytes, and to the server a lone CR would end the line."
  (save-restriction
    (widen)
    (subst-char-in-string ?\r ?\s (replace-regexp-in-string "[\ud800-\udfff\x3fff80-\x3fffff]" "\ufffd"
                                                            (buffer-substring-no-properties beg end)))))

(defun aigc--language ()
  "LSP's name for the language of this buffer."
  (let ((name (replace-regexp-in-string "\\(-ts\\)?-mode\\'" "" (symbol-name major-mode))))
    (or (cdr (assoc name '(("js" . "javascript") ("js2" . "javascript") ("js-json" . "json") ("c++" . "cpp")
                           ("tsx" . "typescriptreact") ("sh" . "shellscript") ("bash" . "shellscript"))))
        name)))

(defun aigc--open ()
  "Tell our own server of this buffer."
  (setq aigc--version 0 aigc--changes nil aigc--tick (buffer-chars-modified-tick)
        aigc--document (aigc--uri (file-truename buffer-file-name)))
  (jsonrpc-notify aigc--own :textDocument/didOpen
                  (list :textDocument `( ,@(aigc--identifier) :languageId ,(aigc--language) :version 0
                                         :text ,(aigc--text 1 (1+ (buffer-size)))))))

(defun aigc--before-change (beg end)
  "The text from BEG to END is about to change."
  (aigc--note-unseen)
  (setq aigc--before (and aigc--own (not (eq aigc--changes t)) (list beg end (aigc--range beg end)))))

(defun aigc--after-change (beg end length)
  "The text from BEG to END was LENGTH characters before."
  (pcase aigc--before
    ((and `(,(pred (= beg)) ,old-end ,range) (guard (= (- old-end beg) length)))
     (push (list :range range :text (aigc--text beg end)) aigc--changes))
    (_ (setq aigc--changes t)))
  (setq aigc--before nil aigc--tick (buffer-chars-modified-tick)))

(defun aigc--note-unseen ()
  "Send the whole text if it was changed unseen, as in an indirect buffer."
  (unless (eql aigc--tick (buffer-chars-modified-tick))
    (setq aigc--changes t aigc--tick (buffer-chars-modified-tick))))

(defun aigc--flush ()
  "Have the server know the buffer as it is."
  (if aigc-through-eglot
      (save-restriction
        (widen)                         ; else track-changes.el fails in a narrowed buffer
        (eglot--signal-textDocument/didChange))
    (when aigc--own (aigc--note-unseen))
    (when (and aigc--changes (aigc--server))
      (let ((changes (if (eq aigc--changes t) (list (list :text (aigc--text 1 (1+ (buffer-size))))) aigc--changes)))
        (setq aigc--changes nil)
        (jsonrpc-notify aigc--own :textDocument/didChange
                        `( :textDocument (,@(aigc--identifier) :version ,(cl-incf aigc--version))
                           :contentChanges ,(vconcat (reverse changes))))))))

(defun aigc--apply (edit)
  "Apply the workspace EDIT to open buffers; what to answer."
  (condition-case problem
      (progn
        (seq-do (lambda (change) (aigc--apply-to (plist-get change :textDocument) (plist-get change :edits)))
                (plist-get edit :documentChanges))
        '(:applied t))
    (error (list :applied :json-false :failureReason (error-message-string problem)))))

(defun aigc--apply-to (document edits)
  "Apply EDITS to the buffer of the versioned DOCUMENT, to be undone in one step."
  (let ((uri (plist-get document :uri)))
    (with-current-buffer (or (seq-find (lambda (buffer)
                                         (with-current-buffer buffer
                                           (and aigc--own (equal uri (plist-get (aigc--identifier) :uri)))))
                                       (buffer-list))
                             (error "%s is not open" uri))
      (when (or aigc--changes (not (memql (plist-get document :version) (list nil :null aigc--version))))
        (error "%s has changed meanwhile" (buffer-name)))
      (let ((group (prepare-change-group))
            (places (mapcar (lambda (edit)
                              (let ((range (plist-get edit :range)))
                                (list (aigc--point (plist-get range :start)) (aigc--point (plist-get range :end))
                                      (plist-get edit :newText))))
                            edits)))
        (atomic-change-group
          (save-excursion
            (pcase-dolist (`(,beg ,end ,text) (sort places (lambda (one other) (> (car one) (car other)))))
              (goto-char beg)
              (delete-region beg end)
              (insert text))))
        (undo-amalgamate-change-group group))
      (aigc--flush))))

(provide 'aigc-server)
;;; aigc-server.el ends here
