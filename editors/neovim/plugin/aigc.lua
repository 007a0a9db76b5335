for _, name in ipairs({ 'accept', 'word', 'line', 'next', 'previous', 'dismiss' }) do
  vim.keymap.set('i', ('<Plug>(aigc-%s)'):format(name), function()
    require('aigc').act(name)
  end, { desc = 'aigc-lsp: ' .. name })
end

vim.api.nvim_create_user_command('Aigc', function(command)
  local name = command.fargs[1] or 'status'
  local run = require('aigc.commands')[name]
  if not run then
    return vim.notify('There is no :Aigc ' .. name .. '; see :help aigc.', vim.log.levels.ERROR)
  end
  run(command.fargs[2], command)
end, {
  nargs = '*',
  range = true,
  desc = 'aigc-lsp: status, toggle, log, why, docstring, model',
  complete = function(start, line)
    local words = { docstring = { 'one', 'methods', 'file' }, toggle = { 'language' } }
    local given = vim.split(line, '%s+')
    local names = #given > 2 and (words[given[2]] or {}) or vim.tbl_keys(require('aigc.commands'))
    return vim.tbl_filter(function(name)
      return vim.startswith(name, start)
    end, vim.fn.sort(names))
  end,
})
