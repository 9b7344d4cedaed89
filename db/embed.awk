# SPDX-License-Identifier: AGPL-3.0-or-later
# embed.awk - the numbered migrations as C strings, in the order given.
BEGIN {
	print "/* Made by embed.awk from schema/NNNN.sql. */"
	print "#include \"db/store_private.h\"\n"
	print "const char *const store_migrations[] = {"
}
FNR == 1 && NR > 1 { print "\t," }
/^--/ || /^[ \t]*$/ { next }
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	print "\t\"" $0 "\\n\""
}
END {
	print "};\n"
	print "const int store_n_migrations = (int)G_N_ELEMENTS(store_migrations);"
}
