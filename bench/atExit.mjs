/** Loaded before a command, it says on the error stream what processor time the whole process has taken, in ms. */
process.on('exit', () => {
  const { user, system } = process.cpuUsage()
  process.stderr.write(String((user + system) / 1000))
})
