-- Ghost text: all of it for Neovim 0.11, and for 0.12 what its own inline completion lacks (words, lines, choices).
--
-- One suggestion is shown at most. Of its text `done` bytes are in the buffer already, typed or accepted; it ends `keep`
-- bytes before the end of the cursor's line, and may write over `width` bytes before that. What to say, and when, is the
-- server's to know: nothing is held back, kept or cached here.

local M = {}
local api, lsp = vim.api, vim.lsp
local namespace = api.nvim_create_namespace('aigc')
local METHOD = 'textDocument/inlineCompletion'
local INVOKED, AUTOMATIC = 1, 2

---@class aigc.Choice
---@field item lsp.InlineCompletionItem
---@field keep integer
---@field width integer

---@type { buf: integer, row: integer, col: integer, client: vim.lsp.Client, choices: aigc.Choice[], index: integer, done: integer }?
local shown
---@type { id?: integer, client?: vim.lsp.Client, at?: string }
local asked = {}

--- Whether Neovim's own inline completion asks and draws.
M.builtin = lsp.inline_completion ~= nil

local function inserting() return api.nvim_get_mode().mode:find('^[iR]') ~= nil end

--- The cursor's row and column from 0, and its line.
local function cursor()
  local row, col = unpack(api.nvim_win_get_cursor(0))
  return row - 1, col, api.nvim_get_current_line()
end

function M.hide()
  if shown and api.nvim_buf_is_valid(shown.buf) then
    api.nvim_buf_clear_namespace(shown.buf, namespace, 0, -1)
  end
  shown = nil
end

local function draw()
  local s = assert(shown)
  local row, col, line = cursor()
  local choice = s.choices[s.index]
  local rest = choice.item.insertText:sub(s.done + 1):gsub('\t', (' '):rep(vim.bo.tabstop))
  local lines, over = vim.split(rest, '\n'), line:sub(col + 1, #line - choice.keep)
  local closes = #lines == 1 and vim.endswith(rest, over) -- over closers that stand there anyway: not drawn twice
  lines[1] = closes and rest:sub(1, #rest - #over) or lines[1]
  local drawn = vim.tbl_map(function(text) return { { text, 'AigcGhost' } } end, lines)
  if #s.choices > 1 then
    table.insert(drawn[#drawn], { (' (%d/%d)'):format(s.index, #s.choices), 'AigcGhostMore' })
  end
  api.nvim_buf_clear_namespace(s.buf, namespace, 0, -1)
  api.nvim_buf_set_extmark(s.buf, namespace, row, col, {
    virt_text = table.remove(drawn, 1),
    virt_text_pos = (closes or choice.keep > 0) and 'inline' or 'overlay',
    virt_lines = drawn,
    hl_mode = 'combine',
  })
end

--- The text may have changed: go on with what is shown where it was typed, else drop it.
local function follow()
  local s = shown
  if not s then return end
  local row, col, line = cursor()
  local choice = s.choices[s.index]
  local behind = api.nvim_get_current_buf() == s.buf and (row > s.row or row == s.row and col >= s.col)
  local typed = behind and table.concat(api.nvim_buf_get_text(s.buf, s.row, s.col, row, col, {}), '\n')
  local text, over = choice.item.insertText, #line - col - choice.keep
  if not typed or #typed >= #text or not vim.startswith(text, typed) or over < 0 or over > choice.width then
    return M.hide()
  end
  s.done = #typed
  draw()
end

--- Show `choices` of `client`, to be inserted at `row`, `col`; what was typed behind that meanwhile is part of them.
local function show(buf, client, row, col, choices)
  M.hide()
  shown = { buf = buf, client = client, row = row, col = col, choices = choices, index = 1, done = 0 }
  follow()
end

--- Ask the server for the text at the cursor. `kind` INVOKED is by hand, for several choices; then go on by `step`.
local function request(kind, step)
  local buf, row, col = api.nvim_get_current_buf(), cursor()
  local client = lsp.get_clients({ bufnr = buf, name = 'aigc' })[1]
  local at = table.concat({ buf, api.nvim_buf_get_changedtick(buf), row, col }, ' ')
  if not client or not inserting() or (kind == AUTOMATIC and at == asked.at) then return end
  local params = lsp.util.make_position_params(0, client.offset_encoding)
  local this = { client = client, at = at }
  asked, params.context = this, { triggerKind = kind }
  _, this.id = client:request(METHOD, params, function(err, result)
    if asked ~= this or not inserting() or api.nvim_get_current_buf() ~= buf then return end
    local items = not err and result and (result.items or result) or {}
    if not items[1] then return M.hide() end
    local start = items[1].range.start
    local line = api.nvim_buf_get_lines(buf, start.line, start.line + 1, false)[1] or ''
    local function byte(position)
      return vim.str_byteindex(line, client.offset_encoding, position.character, false)
    end
    local from = byte(start)
    show(buf, client, start.line, from, vim.tbl_map(function(item)
      local stop = byte(item.range['end'])
      return { item = item, keep = #line - stop, width = stop - from }
    end, items))
    if shown and not M.builtin then
      client:notify('textDocument/didShowCompletion', { item = items[1] })
    end
    if step and #items > 1 then M.cycle(step) end
  end, buf)
end

--- The next (1) or the previous (-1) of the choices, which are asked for where there is but one.
function M.cycle(step)
  if not shown or #shown.choices == 1 then
    M.dismiss()
    return vim.schedule(function() request(INVOKED, step) end)
  end
  shown.index = (shown.index - 1 + step) % #shown.choices + 1
  follow()
end

--- Accept `part` ("accept" for all, "word", "line") of what is shown here.
local function take(part)
  local s = shown
  if not s then return end
  local choice = s.choices[s.index]
  local rest, chunk = choice.item.insertText:sub(s.done + 1), ''
  if part == 'word' then
    chunk = vim.fn.matchstr(rest, [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)]])
  elseif part == 'line' then
    chunk = rest:match('^\n?[^\n]*')
  end
  chunk = chunk ~= '' and chunk or rest
  local row, col, line = cursor()
  local stop = chunk == rest and #line - choice.keep or col -- only the whole writes over what it is to replace
  local lines = vim.split(chunk, '\n')
  vim.cmd('let &g:undolevels = &g:undolevels') -- to be undone by itself
  api.nvim_buf_set_text(s.buf, row, col, row, stop, lines)
  api.nvim_win_set_cursor(0, { row + #lines, (#lines == 1 and col or 0) + #lines[#lines] })
  follow() -- of the whole nothing is left to show
  if chunk == rest then
    s.client:exec_cmd(choice.item.command, { bufnr = s.buf })
  else
    local length = vim.str_utfindex(choice.item.insertText, 'utf-16', s.done, false)
    s.client:notify('textDocument/didPartiallyAcceptCompletion', { item = choice.item, acceptedLength = length })
  end
end

--- Accept `part` of what is shown, by us or by Neovim; false where nothing is. For mappings, of expressions, too. What is
--- shown may be out of date, since Neovim keeps it until the next answer and nobody hears of keys that come in a row:
--- `otherwise` is called for such, later.
function M.accept(part, otherwise)
  local function try()
    follow()
    if shown then
      take(part)
    elseif otherwise then
      otherwise()
    end
  end
  if shown then
    vim.schedule(try)
    return true
  end
  return M.builtin
    and lsp.inline_completion.get({
      -- Neovim would insert all of it, and where it was asked for, whatever has been typed since (neovim#36529).
      on_accept = function(current)
        local client, buf = lsp.get_client_by_id(current.client_id), api.nvim_get_current_buf()
        if not client or client.name ~= 'aigc' then return current end
        local row, col, _, stop = current.range:to_extmark()
        local line = api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
        local _, now = cursor()
        local typed = math.max(now - col, 0) -- behind the place since; none, where it was asked for in another line
        local item = { insertText = current.insert_text, command = current.command }
        show(buf, client, row, col, { { item = item, keep = #line - stop - typed, width = stop - col } })
        try()
      end,
    })
end

--- Show nothing, until the next key.
function M.dismiss()
  M.hide()
  asked.at = nil
  if M.builtin then lsp.inline_completion.get({ on_accept = function() end }) end
end

local function leave()
  M.hide()
  if asked.id and asked.client.requests[asked.id] then asked.client:cancel_request(asked.id) end
  asked = {}
end

--- Begin in a buffer that our server is attached to.
function M.attach(buf)
  local group = api.nvim_create_augroup('aigc.ghost.' .. buf, {})
  local function on(events, callback)
    api.nvim_create_autocmd(events, { group = group, buffer = buf, callback = callback })
  end
  on({ 'InsertLeave', 'BufLeave' }, leave)
  on({ 'InsertEnter', 'CursorMovedI', 'TextChangedI', 'TextChangedP' }, function()
    follow()
    if not M.builtin then request(AUTOMATIC) end
  end)
  if M.builtin then
    lsp.inline_completion.enable(true, { bufnr = buf })
    on('LspRequest', function(event)
      local done = event.data.request
      if done.type == 'complete' and done.method == METHOD and event.data.request_id ~= asked.id then
        M.hide() -- what Neovim is about to draw takes its place
      end
    end)
  end
end

return M
