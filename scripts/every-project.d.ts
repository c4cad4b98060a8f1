// Listed by tsconfig.base.json so that a folder that holds no file (yet) is still a project that compiles. Declares nothing.
