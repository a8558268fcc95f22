# Traps, background jobs and their statuses.
trap 'echo usr1' USR1
kill -USR1 $$
trap - USR1
(trap 'echo term; exit 9' TERM; kill -TERM $BASHPID; sleep 1)
echo "subshell $?"
bash -c 'kill -TERM $$'
echo "term $?"
bash -c 'kill -KILL $$'
echo "kill $?"
sleep 5 &
kill $!
wait $!
echo "wait $?"
(exit 12) & wait $!
echo "background $?"
trap 'echo left' EXIT
kill -TERM $$
