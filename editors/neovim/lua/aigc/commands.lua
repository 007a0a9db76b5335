-- What `:Aigc NAME [ARGUMENT]` does.

local aigc, lsp = require('aigc'), vim.lsp
local M = {}

local function say(text, level)
  vim.notify(vim.trim(text), level or vim.log.levels.INFO, { title = 'aigc-lsp' })
end

--- Run `aigc-lsp ARGUMENTS`, and call `done` with what it says.
local function run(arguments, done)
  local command = vim.list_extend({ aigc.options.cmd[1] }, arguments)
  local ok, problem = pcall(vim.system, command, { text = true }, vim.schedule_wrap(done))
  if not ok then say(problem, vim.log.levels.ERROR) end
end

function M.status()
  local status = aigc.status()
  local first = status and status.kind .. '. ' .. status.message or 'aigc-lsp is not attached to this buffer.'
  run({ 'status' }, function(done) say(first .. '\n' .. done.stdout .. done.stderr) end)
end

--- On or off: for all, or for the "language" of this buffer.
function M.toggle(what)
  local name, off = what == 'language' and aigc.language() or nil, nil
  aigc.configure(function(settings)
    local others = vim.tbl_filter(function(each)
      return each ~= name
    end, settings.languages_off or {})
    if name then
      off = #others == #(settings.languages_off or {})
      settings.languages_off = off and vim.list_extend(others, { name }) or others
    else
      off = settings.enabled ~= false
      settings.enabled = not off
    end
  end)
  require('aigc.ghost').dismiss()
  say(('Suggestions are %s%s.'):format(off and 'off' or 'on', name and ' for ' .. name or ''))
end

--- What Neovim has of the language server, and the model server's own log.
function M.log()
  local state = vim.env.XDG_STATE_HOME or '~/.local/state'
  local folder = vim.fn.has('mac') == 1 and '~/Library/Logs/aigc-lsp' or state .. '/aigc-lsp/log'
  local paths = vim.tbl_filter(vim.uv.fs_stat, { lsp.log.get_filename(), vim.fs.normalize(folder .. '/engine.log') })
  for _, path in ipairs(paths) do
    vim.cmd('tabedit ' .. vim.fn.fnameescape(path) .. ' | normal! G')
  end
  if #paths == 0 then say('There is no log yet.') end
end

--- Why there was this text, or none, where it was asked for last.
function M.why()
  local client, status = aigc.client(), aigc.status()
  if not client or not status then return say('aigc-lsp is not attached to this buffer.') end
  client:request('aigc/explain', { textDocument = lsp.util.make_text_document_params(0) }, function(_, found)
    local said = type(found) == 'table' and found.markdown or 'Nothing was asked for here yet.'
    local lines = vim.split(('**%s** %s\n\n%s'):format(status.kind, status.message, said), '\n')
    lsp.util.open_floating_preview(lines, 'markdown', {})
  end)
end

--- Write the docstring of what the cursor is in; of a class with its "methods", or of the whole "file".
function M.docstring(scope, range)
  local client = aigc.client()
  if not client then return say('aigc-lsp is not attached to this buffer.') end
  local at = lsp.util.make_position_params(0, client.offset_encoding).position
  local marked = { start = { line = range.line1 - 1, character = 0 }, ['end'] = { line = range.line2, character = 0 } }
  local argument = {
    uri = vim.uri_from_bufnr(0),
    range = range.range > 0 and marked or { start = at, ['end'] = at },
    scope = scope or 'one',
    version = lsp.util.buf_versions[vim.api.nvim_get_current_buf()],
  }
  client:exec_cmd({ title = 'Write docstring', command = 'aigc.writeDocstring', arguments = { argument } }, { bufnr = 0 })
end

--- Use the model `name` from now on; without one, choose.
function M.model(name)
  local function use(model)
    aigc.configure(function(settings) settings.model = model end)
  end
  if name then return use(name) end
  run({ 'models', 'list', '--json' }, function(done)
    local function described(row)
      return ('%s%s (%s): %s'):format(row.configured and '* ' or '', row.name, row.state, row.description)
    end
    local ok, rows = pcall(vim.json.decode, done.stdout)
    if not ok then return say(done.stderr, vim.log.levels.ERROR) end
    vim.ui.select(rows, { prompt = 'Model', format_item = described }, function(row)
      if row then use(row.name) end
    end)
  end)
end

return M
