-- `:checkhealth aigc`

local M = {}
local health = vim.health

function M.check()
  local aigc = require('aigc')
  local options, program = aigc.options, aigc.options.cmd[1]
  health.start('Neovim')
  if vim.fn.has('nvim-0.11') == 0 then return health.error('Neovim 0.11 or newer is needed.') end
  local drawn = require('aigc.ghost').builtin and 'Neovim' or 'this plugin'
  health.ok(('Neovim %s; ghost text is drawn by %s'):format(vim.version(), drawn))
  if not vim.lsp.is_enabled('aigc') then
    health.error('It is not set up.', "Put require('aigc').setup() into your init.lua.")
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = 'aigc' })) do
    health.ok('A language server runs for ' .. (client.root_dir or 'single files'))
  end
  for name, key in pairs(options.keys or {}) do
    if key and vim.fn.maparg(key, 'i', false, true).desc ~= 'aigc-lsp: ' .. name then
      health.warn(('%s is mapped to something else, so it does not do "%s".'):format(key, name))
    end
  end

  health.start('What completions need (aigc-lsp doctor)')
  if vim.fn.executable(program) == 0 then
    return health.error(program .. ' cannot be run.', 'Install it, or name it: setup{ cmd = { "…", "serve" } }.')
  end
  local done = vim.system({ program, 'doctor', '--json' }, { text = true }):wait()
  local ok, found = pcall(vim.json.decode, done.stdout)
  if not ok then return health.error('aigc-lsp doctor failed: ' .. vim.trim(done.stderr)) end
  local report = { ok = health.ok, warning = health.warn, problem = health.error }
  for _, check in ipairs(found.checks) do
    report[check.level](check.name .. ': ' .. check.message)
  end
end

return M
