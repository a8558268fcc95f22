# One of each construct.
value='a b'
array=(one "two three" $'four\t4')
declare -A table=([x]=1 ["y z"]=2)
if [[ -n $value && ( $value == a* || $value == b ) ]]; then echo if; elif false; then :; else echo else; fi
for word in $value "$value" "${array[@]}"; do echo "<$word>"; done
for ((i = 0, j = 3; i < j; i++, j--)); do echo $i $j; done
while read -r a rest; do echo "$a|$rest"; done <<'HERE'
one two three
$not expanded `either`
HERE
cat <<-TABS
	indented $value $((1 + 1)) $(echo sub)
	TABS
cat <<A; cat <<B
first
A
second
B
until ((${#array[@]} == 0)); do unset 'array[-1]'; done
case $value in
  "a b") echo matched ;;&
  a*) echo falls ;&
  never) echo through ;;
  *) echo not here ;;
esac
function outer() {
  local inner=1
  helper() { echo "helper sees $inner"; }
  helper
  return 3
}
outer || echo "status $?"
{ echo group; (echo subshell; exit 4); echo "after $?"; } | cat
! { false; } && echo negated
echo "${value//a/A}" "${value:1}" "${value^}" "${table[y z]}" "${!table[@]}" | wc -w
coproc { read -r line; echo "coproc got $line"; read -r line; }
echo data >&"${COPROC[1]}"
read -r answer <&"${COPROC[0]}"
echo "$answer"
exec 5>&1
echo to five >&5
exec 5>&-
[[ $value =~ ^(.)\ (.)$ ]] && echo "${BASH_REMATCH[@]:1}"
echo $'quoted \'single\'' "and \"double\"" \
  continued
select choice in x y; do echo "chose $choice"; break; done <<< 1 2>/dev/null
eval "echo $value"
echo done
