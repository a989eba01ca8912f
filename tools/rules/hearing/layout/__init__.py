"""Layout: fields of forms, tables, lists, YAML and quoted mail, and the files of other programs that are pasted."""
