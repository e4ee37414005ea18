"""`python -m serving.cli`: the command line where no script `risk` is on the path, as for the runs of jobs."""

from serving.cli import main

if __name__ == "__main__":
    main()
