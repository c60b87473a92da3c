# Turns the code of a tutorial into one test:  awk -v output=tutorial.cpp -f tutorial.awk tutorial.md
#
#   ```cpp          statements: all such blocks together, in order, are the body of TEST_CASE("tutorial")
#   ```cpp global   what stands at namespace scope, before that body: includes, aliases, structs, functions, test cases
#   ```text         exactly what the statements have printed since the block of this kind before
#
# A compiler's message names the line of the markdown.
/^```/ && place { if (kind == "text") add(")~\");"); place = ""; next }
/^```(cpp|text)/ {
  kind = substr($1, 4)
  place = $2 == "global" ? "global" : "body"
  add(sprintf("#line %d \"%s\"", NR + (kind == "cpp"), FILENAME))
  if (kind == "text") text[place] = text[place] "CHECK(output.take() == R\"~("
  next
}
place { add($0) }
END {
  print "#include <captured_output.hpp>\n#include <data/support.hpp>\n#include <doctest/doctest.h>\n#include <gradtape/gradtape.hpp>" > output
  print text["global"] "TEST_CASE(\"tutorial\") {\nCapturedOutput output;\nconst files::WorkingDir directory;\n" text["body"] "}" > output
}
function add(line) { text[place] = text[place] line "\n" }
