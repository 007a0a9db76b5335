;;; aigc.el --- Ghost-text completion by a model on your own machine  -*- lexical-binding: t; -*-

;; Author: The aigc-lsp developers
;; Version: 0.1.0
;; Package-Requires: ((emacs "29.1") (jsonrpc "1.0.24"))
;; Keywords: convenience, languages, tools
;; URL: https://github.com/aigc-lsp/aigc-lsp
;; SPDX-License-Identifier: Apache-2.0

;;; Commentary:

;; `aigc-mode' shows what aigc-lsp suggests as grey text behind point:
;;
;;     (add-hook 'prog-mode-hook #'aigc-mode)
;;
;; It has a connection of its own, so Eglot or lsp-mode may serve the same buffer
;; with another language server.  Or let Eglot run aigc-lsp, which brings its
;; code actions and hints as well:
;;
;;     (setq aigc-through-eglot t)
;;     (add-to-list 'eglot-server-programs
;;                  '((python-mode python-ts-mode)
;;                    . (aigc-eglot-server "aigc-lsp" "serve")))
;;
;; Here is neither a delay nor a cache: the server knows what it has said, and
;; when it is worth saying something.

;;; Code:

(require 'aigc-server)
(require 'subr-x)

(defcustom aigc-automatic t
  "Whether to suggest while you type; else only `aigc-complete' does."
  :group 'aigc
  :type 'boolean)

(defcustom aigc-inhibit-functions '(region-active-p)
  "Functions of which none may return non-nil at point for a suggestion to be made."
  :group 'aigc
  :type 'hook)

(defface aigc-ghost '((t :inherit shadow :slant italic))
  "What is suggested and not yet there."
  :group 'aigc)

;;;; Ghost text

(cl-defstruct aigc--ghost
  "A suggestion for the place START.
CHOICES are (TEXT REPLACED ITEM), of which INDEX is shown.  REPLACED characters
behind point go when it is accepted.  TAIL is what was behind point."
  start tail choices (index 0))

(defvar aigc-mode)
(defvar-local aigc--ghost nil "The `aigc--ghost' that is shown, or nil.")
(defvar-local aigc--overlays nil "Where it is shown.")
(defvar-local aigc--seen nil "The buffer's tick when the last command was over.")
(defvar aigc--timer nil "Asks as soon as Emacs has nothing else to do.")

(defvar-keymap aigc-ghost-mode-map
  :doc "In force while something is suggested."
  "TAB" '(menu-item "" aigc-accept :filter aigc--unless-indenting)
  "C-g" #'aigc-dismiss
  "M-n" #'aigc-next
  "M-p" #'aigc-previous
  "<remap> <forward-word>" #'aigc-accept-word
  "<remap> <move-end-of-line>" #'aigc-accept-line
  "<remap> <end-of-visual-line>" #'aigc-accept-line)

(define-minor-mode aigc-ghost-mode
  "On by itself while something is suggested, for its keymap.
\\{aigc-ghost-mode-map}"
  :interactive nil
  :group 'aigc
  (mapc #'delete-overlay aigc--overlays)
  (setq aigc--overlays nil)
  (unless aigc-ghost-mode (setq aigc--ghost nil)))

(defun aigc--unless-indenting (command)
  "COMMAND, but nil where its key should indent.
That is in a blank line, if what is suggested begins with indentation."
  (unless (and (string-match-p "\\`[ \t]" (or (aigc--rest) ""))
               (string-blank-p (buffer-substring (pos-bol) (point))))
    command))

(defun aigc--choice ()
  "What is shown, (TEXT REPLACED ITEM)."
  (nth (aigc--ghost-index aigc--ghost) (aigc--ghost-choices aigc--ghost)))

(defun aigc--rest ()
  "What of the suggestion is yet to be typed, or nil if it does not fit the text."
  (when-let* ((ghost aigc--ghost) (start (aigc--ghost-start ghost)) (text (car (aigc--choice))))
    (and (<= start (point)) (= (aigc--ghost-tail ghost) (- (buffer-size) (point)))
         (string-prefix-p (buffer-substring-no-properties start (point)) text)
         (< (- (point) start) (length text))
         (substring text (- (point) start)))))

(defun aigc--draw ()
  "Show the suggestion as it is now, or none."
  (if-let* ((rest (aigc--rest)))
      (let* ((end (+ (point) (cadr (aigc--choice))))
             (split (and (< end (pos-eol)) (string-search "\n" rest)))
             (here (propertize (substring rest 0 split) 'face 'aigc-ghost)))
        (aigc-ghost-mode)
        (unless (string-empty-p here) (put-text-property 0 1 'cursor t here))
        (aigc--overlay (point) end here)
        (when split
          (aigc--overlay (pos-eol) (pos-eol) (propertize (substring rest split) 'face 'aigc-ghost))))
    (aigc-ghost-mode -1)))

(defun aigc--overlay (beg end text)
  "Show TEXT instead of what is between BEG and END."
  (let ((overlay (make-overlay beg end)))
    ;; An empty `display' would have the command loop move point behind it.
    (if (< beg end)
        (overlay-put overlay 'display (if (string-empty-p text) " " text))
      (overlay-put overlay 'before-string text))
    (overlay-put overlay 'window (selected-window))
    (overlay-put overlay 'aigc t)
    (push overlay aigc--overlays)))

(defun aigc--ask (trigger &optional index)
  "Ask what to suggest at point; TRIGGER is 1 by hand, 2 while typing.
Of several suggestions, INDEX is shown."
  (aigc--forget)
  (when-let* ((server (aigc--server)))
    (aigc--flush)
    (let ((buffer (current-buffer)) (state (list (buffer-chars-modified-tick) (point))))
      (jsonrpc-async-request
       server :textDocument/inlineCompletion
       (list :textDocument (aigc--identifier) :position (aigc--position)
             :context (list :triggerKind trigger))
       :success-fn
       (lambda (found)
         (when (buffer-live-p buffer)
           (with-current-buffer buffer
             (when (equal state (list (buffer-chars-modified-tick) (point)))
               (setf (aigc--asked server) nil)
               (aigc--found server (append (plist-get found :items) nil) (or index 0))))))
       :error-fn #'ignore :timeout-fn #'ignore :timeout 60))))

(defun aigc--forget ()
  "Tell the server that nobody waits for its answer any longer."
  (when-let* ((server (aigc--server)) (id (aigc--asked server)))
    (setf (aigc--asked server) nil)
    (jsonrpc-notify server :$/cancelRequest (list :id id))))

(defun aigc--found (server items index)
  "Suggest the ITEMS of SERVER's answer, INDEX first."
  (setq aigc--ghost
        (and items aigc-mode
             (make-aigc--ghost
              :start (copy-marker (point)) :tail (- (buffer-size) (point)) :index (mod index (length items))
              :choices (mapcar (lambda (item)
                                 (let ((end (plist-get (plist-get item :range) :end)))
                                   (list (plist-get item :insertText) (- (aigc--point end) (point)) item)))
                               items))))
  (aigc--draw)
  (when aigc--ghost
    (jsonrpc-notify server :textDocument/didShowCompletion (list :item (nth 2 (aigc--choice))))))

(defun aigc--after-command ()
  "Show what of the suggestion still fits, and ask where the text has changed."
  (when aigc--overlays (aigc--draw))
  (unless (eq aigc--seen (buffer-chars-modified-tick))
    (setq aigc--seen (buffer-chars-modified-tick))
    (when (timerp aigc--timer) (cancel-timer aigc--timer))
    (setq aigc--timer (run-with-idle-timer 0 nil #'aigc--when-idle (current-buffer)))))

(defun aigc--when-idle (buffer)
  "Tell the server what changed in BUFFER, and ask what comes next."
  (when (and (eq buffer (current-buffer)) aigc-mode (aigc--server))
    (if (or (not aigc-automatic) buffer-read-only
            (run-hook-with-args-until-success 'aigc-inhibit-functions))
        (aigc--flush)
      (aigc--ask 2))))

(defun aigc--take (pattern)
  "Insert the beginning of the suggestion that matches PATTERN; all of it for nil."
  (let ((rest (or (aigc--rest) (user-error "Nothing is suggested here"))))
    (pcase-let* ((`(,text ,replaced ,item) (aigc--choice))
                 (length (if (and pattern (string-match pattern rest)) (match-end 0) (length rest)))
                 (whole (= length (length rest)))
                 (taken (substring text 0 (- (length text) (- (length rest) length))))
                 (server (aigc--require-server)))
      (when whole (delete-region (point) (+ (point) replaced)))
      (insert (substring rest 0 length))
      (aigc--flush)
      (if whole (aigc-ghost-mode -1) (aigc--draw))
      (if whole
          (aigc--execute server (plist-get item :command))
        (jsonrpc-notify server :textDocument/didPartiallyAcceptCompletion
                        (list :item item :acceptedLength
                              (/ (string-bytes (encode-coding-string taken 'utf-16le)) 2)))))))

(defun aigc-accept ()
  "Accept what is suggested."
  (interactive "*")
  (aigc--take nil))

(defun aigc-accept-word ()
  "Accept the next word, or sign, of what is suggested."
  (interactive "*")
  (aigc--take "\\`[ \t\n]*\\(?:\\(?:\\sw\\|\\s_\\)+\\|.\\)"))

(defun aigc-accept-line ()
  "Accept the rest of the line that is suggested, or the next line."
  (interactive "*")
  (aigc--take "\\`\n?[^\n]*"))

(defun aigc-next (&optional step)
  "Show the next suggestion, or the one STEP further; ask where only one is known."
  (interactive)
  (if-let* ((choices (and aigc--ghost (aigc--ghost-choices aigc--ghost))) ((cdr choices)))
      (let ((index (+ (aigc--ghost-index aigc--ghost) (or step 1))))
        (setf (aigc--ghost-index aigc--ghost) (mod index (length choices)))
        (aigc--draw))
    (aigc--ask 1 (if aigc--ghost (or step 1) 0))))

(defun aigc-previous ()
  "Show the suggestion before; see `aigc-next'."
  (interactive)
  (aigc-next -1))

(defun aigc-complete ()
  "Suggest something here, however unsure."
  (interactive "*")
  (aigc--ask 1))

(defun aigc--cloned ()
  "Be nothing in this buffer, a clone that has a copy of all that is another's."
  (setq aigc--own nil aigc--ghost nil aigc--overlays nil)
  (remove-overlays nil nil 'aigc t)
  (aigc-mode -1))

(defun aigc-dismiss ()
  "Show nothing."
  (interactive)
  (aigc--forget)
  (aigc-ghost-mode -1))

;;;; Commands of the server

(defun aigc--request (server method params &optional success)
  "Ask SERVER for METHOD with PARAMS, call SUCCESS with the result, and go on."
  (jsonrpc-async-request server method params :success-fn (or success #'ignore) :timeout 600
                         :error-fn (lambda (problem) (message "aigc-lsp: %s" (plist-get problem :message)))))

(defun aigc--execute (server command)
  "Have SERVER run COMMAND; what that has to show comes by itself."
  (aigc--request server :workspace/executeCommand
                 (list :command (plist-get command :command) :arguments (plist-get command :arguments))))

(defun aigc--display (page)
  "Show PAGE, a title and a text in Markdown, in a window of its own."
  (with-current-buffer (get-buffer-create (format "*aigc: %s*" (plist-get page :title)))
    (let ((inhibit-read-only t))
      (erase-buffer)
      (insert (plist-get page :markdown)))
    (if (fboundp 'gfm-view-mode) (gfm-view-mode) (special-mode))
    (visual-line-mode)
    (goto-char (point-min))
    (display-buffer (current-buffer))))

(defun aigc-write-docstring (&optional scope)
  "Write the docstring of what is around point, or mend it, while you go on.
SCOPE is \"one\"; with a prefix argument it is \"methods\", those of the class
as well, and with two \"file\"."
  (interactive
   (list (pcase (prefix-numeric-value current-prefix-arg) (4 "methods") (16 "file") (_ "one"))))
  (let ((server (aigc--require-server)))
    (aigc--flush)
    (aigc--execute server `( :command "aigc.writeDocstring"
                             :arguments [( ,@(aigc--identifier) :range ,(aigc--range (point) (point))
                                           :scope ,(or scope "one"))]))))

(defun aigc-actions ()
  "Choose one of what the server can do with the region, or at point."
  (interactive)
  (let* ((server (aigc--require-server))
         (range (if (use-region-p) (aigc--range (region-beginning) (region-end)) (aigc--range (point) (point)))))
    (aigc--flush)
    (aigc--request server :textDocument/codeAction
                   (list :textDocument (aigc--identifier) :range range :context '(:diagnostics []))
                   (lambda (actions) (run-at-time 0 nil #'aigc--choose server (append actions nil))))))

(defun aigc--choose (server actions)
  "Have the user choose one of SERVER's ACTIONS."
  (let* ((titles (mapcar (lambda (action) (plist-get action :title)) actions))
         (title (and (or titles (user-error "There is nothing to do here"))
                     (completing-read "aigc-lsp: " titles nil t)))
         (action (nth (seq-position titles title) actions))
         (command (plist-get action :command)))
    (aigc--execute server (if (stringp command) action command))))

(defun aigc-why ()
  "Say why there is this suggestion, or none, where one was asked for last."
  (interactive)
  (aigc--request
   (aigc--require-server) :aigc/explain (list :textDocument (aigc--identifier))
   (lambda (said)
     (with-help-window "*aigc-lsp why*"
       (princ (or (plist-get said :markdown) "Nothing was asked for here yet."))))))

(defun aigc-log ()
  "Show the server's log."
  (interactive)
  (display-buffer (jsonrpc-stderr-buffer (aigc--require-server))))

(defun aigc-status ()
  "Show the server's state."
  (interactive)
  (let ((status (aigc--status (aigc--require-server))))
    (message "aigc-lsp: %s. %s" (or (plist-get status :kind) "Nothing heard yet")
             (or (plist-get status :message) ""))))

(defun aigc-restart ()
  "Have every buffer leave its server, and join a new one."
  (interactive)
  (when aigc-through-eglot (user-error "Eglot runs it: M-x eglot-reconnect"))
  (let ((buffers (seq-filter (lambda (buffer) (buffer-local-value 'aigc-mode buffer)) (buffer-list))))
    (dolist (buffer buffers) (with-current-buffer buffer (aigc-mode -1)))
    (mapc #'aigc--end-unused (copy-sequence aigc--servers))
    (dolist (buffer buffers) (with-current-buffer buffer (aigc-mode)))))

;;;; The mode

(defun aigc--lighter ()
  "The server's state, for the mode line."
  (let* ((server (aigc--server))
         (status (and server (aigc--status server)))
         (sign (pcase (plist-get status :kind)
                 ((guard (null server)) "-")
                 ("Error" "!") ("Warning" "?") ("Inactive" "-")
                 (_ (if (eq t (plist-get status :busy)) "…" "")))))
    (concat " aigc" (propertize sign 'help-echo (or (plist-get status :message) "No server (yet)")))))

;;;###autoload
(define-minor-mode aigc-mode
  "Show what aigc-lsp suggests behind point."
  :lighter (:eval (aigc--lighter))
  :group 'aigc
  (setq aigc--seen (buffer-chars-modified-tick))
  (pcase-dolist (`(,hook ,function) '((post-command-hook aigc--after-command) (change-major-mode-hook aigc-dismiss)
                                      (clone-indirect-buffer-hook aigc--cloned)))
    (if aigc-mode (add-hook hook function nil t) (remove-hook hook function t)))
  (unless aigc-mode
    (aigc--forget)
    (aigc-ghost-mode -1))
  (unless aigc-through-eglot
    (aigc--serve aigc-mode)))

;;;###autoload
(define-globalized-minor-mode global-aigc-mode aigc-mode aigc-mode :predicate '(prog-mode) :group 'aigc)

(provide 'aigc)
;;; aigc.el ends here
