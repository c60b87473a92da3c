# Turns the code of a tutorial into one test:  awk -v output=tutorial.cpp -f tutorial.awk tutorial.md
#
#   ```cpp          statements: all such blocks together, in order, are the body of TEST_CASE("tutorial")
#   ```cpp global   what stands at namespace scope, before that body: includes, aliases, structs, functions, test cases
#
# A compiler's message names the line of the markdown.
/^```/ && place { place = ""; next }
/^```cpp/       { place = $2 == "global" ? "global" : "body"; add(sprintf("#line %d \"%s\"", NR + 1, FILENAME)); next }
place           { add($0) }
END {
  print "#include <doctest/doctest.h>\n#include <gradtape/gradtape.hpp>" > output
  print text["global"] "TEST_CASE(\"tutorial\") {\n" text["body"] "}" > output
}
function add(line) { text[place] = text[place] line "\n" }
