# What goes wrong goes wrong in the same words.
no-such-program-here
echo "status $?"
cd /no/such/folder
cat /no/such/file
[ 1 -gt ]
unset -v 1bad
readonly fixed=1
(fixed=2)
echo ${undefined?is not set}
echo never
