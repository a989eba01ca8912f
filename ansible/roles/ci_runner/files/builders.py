# Made by Berth once; it is yours from now on. What stands in these three is built by this machine's worker, `here`.
# After a change: sudo systemctl reload buildbot@berth
builders, schedulers, sources = [], [], []

# from buildbot.plugins import changes, schedulers as when, steps, util
#
# repository = "https://git.example.org/team/program.git"
# work = util.BuildFactory([steps.Git(repourl=repository, mode="incremental"), steps.ShellCommand(command=["make", "test"])])
# builders.append(util.BuilderConfig(name="program", workernames=["here"], factory=work))
# schedulers.append(when.SingleBranchScheduler(name="program", builderNames=["program"], change_filter=util.ChangeFilter(branch="main")))
# sources.append(changes.GitPoller(repourl=repository, branches=["main"], pollInterval=300))
