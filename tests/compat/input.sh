# Commands that share standard input with the script, when it comes from there.
echo before
read -r line; echo "read: $line"
echo this line is read
head -n 1 > /dev/null < /dev/null
echo "$#:$*"
cat << END | tr a-z A-Z
here document
END
exit 5
echo never
