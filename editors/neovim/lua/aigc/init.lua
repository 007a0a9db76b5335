-- aigc-lsp in Neovim: starts the language server, says how it is, and binds what it offers. See `:help aigc`.

local M = {}
local api, lsp = vim.api, vim.lsp
local ghost = require('aigc.ghost')

M.options = {
  cmd = { 'aigc-lsp', 'serve' },
  filetypes = nil, -- all
  root_markers = { '.git' },
  settings = {}, -- as `aigc-lsp config` lists them: { completion = { max_lines = 4 } }
  builtin = true, -- ask and draw by Neovim's own inline completion, where it has one
  keys = {
    accept = '<Tab>',
    word = '<M-Right>',
    line = '<M-Down>',
    next = '<M-]>',
    previous = '<M-[>',
    dismiss = '<M-e>',
  },
}

-- Where a file type is not what LSP calls the language.
local LANGUAGES = { bash = 'shellscript', cs = 'csharp', cuda = 'cuda-cpp', make = 'makefile', sh = 'shellscript' }

function M.language()
  return LANGUAGES[vim.bo.filetype] or vim.bo.filetype
end

--- The client of this buffer.
function M.client()
  return lsp.get_clients({ bufnr = 0, name = 'aigc' })[1]
end

local said, percent = {}, {} ---@type table<integer, table>, table<integer, integer?>
local handlers = {}

handlers['aigc/status'] = function(_, status, context)
  said[context.client_id] = status
  vim.cmd.redrawstatus()
  api.nvim_exec_autocmds('User', { pattern = 'AigcStatus', data = status })
end

--- What a code action has to show, and not to insert: in one window beside the code, where the cursor stays.
handlers['aigc/show'] = function(_, shown)
  local buf = vim.fn.bufadd('aigc://page')
  local window = vim.fn.bufwinid(buf)
  if window == -1 then
    window = api.nvim_open_win(buf, false, { split = 'right', win = -1 })
    vim.bo[buf].buftype, vim.bo[buf].bufhidden, vim.bo[buf].swapfile = 'nofile', 'wipe', false
    vim.bo[buf].filetype = 'markdown'
    vim.keymap.set('n', 'q', '<Cmd>close<CR>', { buffer = buf })
  end
  api.nvim_buf_set_lines(buf, 0, -1, false, vim.split(shown.markdown, '\n'))
  vim.wo[window][0].winbar = shown.title:gsub('%%', '%%%%') .. '%=q closes'
  vim.wo[window][0].wrap, vim.wo[window][0].linebreak = true, true
end

--- Where something is defined, as the file's other servers know it. Neovim runs this in a coroutine: nothing waits.
handlers['aigc/definition'] = function(_, params, context)
  local buf, at, here = vim.uri_to_bufnr(params.textDocument.uri), params.position, assert(coroutine.running())
  local ours = assert(lsp.get_client_by_id(context.client_id)).offset_encoding
  local line = api.nvim_buf_get_lines(buf, at.line, at.line + 1, false)[1] or ''
  local byte = vim.str_byteindex(line, ours, at.character, false)
  for _, client in ipairs(lsp.get_clients({ bufnr = buf, method = 'textDocument/definition' })) do
    local theirs = client.offset_encoding
    local position = { line = at.line, character = vim.str_utfindex(line, theirs, byte, false) }
    local found, waits
    local sent = client:request('textDocument/definition', { textDocument = params.textDocument, position = position },
      function(_, result)
        found = result or {}
        if waits then coroutine.resume(here) end
      end, buf)
    waits = true
    if sent and not found then coroutine.yield() end
    found = found or {}
    local places = (found.uri or found.targetUri) and { found } or found
    if places[1] then
      return vim.tbl_map(function(place)
        local start = { line = place.lnum - 1, character = place.col - 1 } -- bytes, which Neovim speaks with us
        return { uri = vim.uri_from_fname(place.filename), range = { start = start, ['end'] = start } }
      end, lsp.util.locations_to_items(places, theirs))
    end
  end
  return vim.NIL
end

--- The last `aigc/status` for this buffer: {busy, kind, message}, with `percent` while a model comes; nil without any.
function M.status()
  local client = M.client()
  local status = client and (said[client.id] or { busy = false, kind = 'Warning', message = 'Starting.' })
  return status and vim.tbl_extend('force', status, { percent = percent[client.id] })
end

local SIGNS = { Warning = ' ~', Error = ' !', Inactive = ' -' }

--- For a status line: "aigc", "aigc …" at work, "aigc 40%" while a model comes, "aigc ~" not now, "aigc !", "aigc -" off.
function M.statusline()
  local status = M.status()
  if not status then
    return ''
  elseif status.kind == 'Normal' then
    return status.busy and 'aigc …' or 'aigc'
  end
  return 'aigc' .. (status.percent and (' %d%%%%'):format(status.percent) or SIGNS[status.kind])
end

local function settings()
  return { aigc = next(M.options.settings) and M.options.settings or vim.empty_dict() }
end

--- Change `settings`, by a function, in every window of this Neovim at once.
function M.configure(change)
  change(M.options.settings)
  lsp.config('aigc', { settings = settings() })
  for _, client in ipairs(lsp.get_clients({ name = 'aigc' })) do
    client.settings = settings()
    client:notify('workspace/didChangeConfiguration', { settings = client.settings })
  end
end

--- Do what a key is named for; false where there is nothing to accept. For mappings, of expressions, too. `otherwise` is
--- called where it turns out later that there was nothing.
function M.act(name, otherwise)
  if name == 'accept' or name == 'word' or name == 'line' then return ghost.accept(name, otherwise) end
  vim.schedule(name == 'dismiss' and ghost.dismiss or function()
    ghost.cycle(name == 'next' and 1 or -1)
  end)
  return true
end

--- What `key` does in every buffer; what it does in one alone goes before ours there anyway.
local function mapping(key)
  local raw = vim.keycode(key)
  for _, each in ipairs(api.nvim_get_keymap('i')) do
    if each.lhsraw == raw or each.lhsrawalt == raw then return each end
  end
end

--- `key` acts as `name`, and where that does nothing, as it did before.
local function map(name, key)
  local was, before, desc = key, mapping(key), 'aigc-lsp: ' .. name
  local plug = ('<Plug>(aigc-before-%s)'):format(name)
  if before and before.desc ~= desc then
    was, before.lhs, before.lhsraw, before.lhsrawalt = plug, plug, vim.keycode(plug), nil
    vim.fn.mapset('i', false, before)
  elseif before and mapping(plug) then
    was = plug -- set up once more
  end
  local function otherwise()
    api.nvim_feedkeys(vim.keycode(was), was == key and 'n' or 'm', false)
  end
  vim.keymap.set('i', key, function()
    -- In a snippet Tab goes on to its next place.
    if name == 'accept' and vim.keycode(key) == '\t' and vim.snippet.active({ direction = 1 }) then return was end
    return M.act(name, otherwise) and '' or was
  end, { expr = true, remap = was ~= key, desc = desc })
end

--- Start, with `options` instead of those above. A key of false is left alone.
function M.setup(options)
  M.options = vim.tbl_deep_extend('force', M.options, options or {})
  local own, hint = M.options, vim.fn.hlexists('ComplHint') == 1 and 'ComplHint' or 'NonText'
  ghost.builtin = own.builtin and lsp.inline_completion ~= nil
  api.nvim_set_hl(0, 'AigcGhost', { default = true, link = hint })
  api.nvim_set_hl(0, 'AigcGhostMore', { default = true, link = 'MoreMsg' })
  for name, key in pairs(own.keys or {}) do
    if key then map(name, key) end
  end
  local group = api.nvim_create_augroup('aigc', {})
  api.nvim_create_autocmd({ 'LspAttach', 'LspProgress' }, {
    group = group,
    callback = function(event)
      local client = lsp.get_client_by_id(event.data.client_id)
      if not client or client.name ~= 'aigc' then
        return
      elseif event.event == 'LspAttach' then
        return ghost.attach(event.buf)
      end
      local value = event.data.params.value
      percent[client.id] = value.kind ~= 'end' and value.percentage or nil
      vim.cmd.redrawstatus()
    end,
  })
  lsp.config('aigc', {
    cmd = own.cmd,
    filetypes = own.filetypes,
    root_markers = own.root_markers,
    settings = settings(),
    capabilities = {
      textDocument = { inlineCompletion = { dynamicRegistration = false } },
      experimental = { aigc = { definitions = true, show = true } },
    },
    handlers = handlers,
    get_language_id = function(_, filetype) return LANGUAGES[filetype] or filetype end,
  })
  lsp.enable('aigc')
end

return M
