from fkp.cli import main

main()
