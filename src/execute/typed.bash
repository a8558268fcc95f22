# Read by an interactive bash before anything else, so that each command that it is about to run is
# judged first. The first lines, which kibosh writes, set __kibosh_program (kibosh), __kibosh_source (the
# name by which this text is read) and what follows it.
#
# bash calls the DEBUG trap before each simple command, for, case, [[ and ((; with extdebug a command is
# skipped where the trap says no (bash(1), SHELL BUILTIN COMMANDS, trap and shopt). What happened to a
# refused line ends as Ctrl-C would end it.

declare -A __kibosh_known=()
__kibosh_stopped=0
__kibosh_starting=1
__kibosh_theirs=
__kibosh_own=0

# The last parameter is $_, which is kept by being the last word of the trap.
__kibosh_gate() {
  if ((__kibosh_starting)); then
    # Start-up files are the person's own. The first place is this function's.
    ((${#BASH_SOURCE[@]} > 1)) && [[ ${BASH_SOURCE[-1]} == "$__kibosh_source" ]] && return 0
    __kibosh_starting=0
  fi
  # What stands in this text itself; its functions are read-only.
  __kibosh_own=1
  case ${FUNCNAME[1]-} in __kibosh_gate | __kibosh_prompt | __kibosh_arm | trap) return 0 ;; esac
  [[ $BASH_COMMAND == __kibosh_prompt ]] && return 0
  __kibosh_own=0
  if ((__kibosh_stopped)); then
    if ((++__kibosh_stopped > 100)); then
      __kibosh_stopped=0
      builtin kill -INT $$
    fi
    return 1
  fi
  local __kibosh_command=$BASH_COMMAND
  local __kibosh_word=${__kibosh_command%%[[:space:]]*}
  case $__kibosh_command in
    *'>'* | *__kibosh* | *DEBUG* | *debug* | *functrace*) ;;
    # What only the shell itself does; commands in its words come here on their own.
    '[['* | '(('* | 'for '* | 'case '* | 'select '*) return 0 ;;
    *)
      case $__kibosh_word in
        : | true | false | '[' | test | echo | printf | local | let | return | shift | break | continue | cd | \
          pwd | pushd | popd | dirs | read | jobs | fg | bg | wait | history | type | logout | exit) return 0 ;;
        *[!A-Za-z0-9_.:-]*) ;;
        *) builtin declare -F -- "$__kibosh_word" &>/dev/null && return 0 ;;
      esac
      ;;
  esac
  # In POSIX mode the builtin is found before the function below.
  [[ $__kibosh_word == trap && $SHELLOPTS == *posix* ]] && __kibosh_command="builtin $__kibosh_command"
  local __kibosh_given= __kibosh_rest=$__kibosh_command __kibosh_name
  if (($# > 1)); then
    local -a __kibosh_words=("${@:1:$#-1}")
    __kibosh_given="set -- ${__kibosh_words[*]@Q}"$'\n'
  fi
  while [[ $__kibosh_rest == *'$'* ]]; do
    __kibosh_rest=${__kibosh_rest#*'$'}
    __kibosh_rest=${__kibosh_rest#'{'}
    __kibosh_rest=${__kibosh_rest#[#!]}
    __kibosh_name=${__kibosh_rest%%[!A-Za-z0-9_]*}
    [[ $__kibosh_name == [A-Za-z_]* && $__kibosh_name != __kibosh* && -v $__kibosh_name ]] || continue
    [[ ${!__kibosh_name@a} == *[aAn]* ]] && continue
    __kibosh_given+="$__kibosh_name=${!__kibosh_name@Q}"$'\n'
  done
  local __kibosh_key=$PWD$'\n'$__kibosh_given$__kibosh_command
  [[ ${__kibosh_known[$__kibosh_key]+known} ]] && return 0
  # A command substitution, because a job in the midst of a pipeline would be waited for in its place.
  __kibosh_name=$(builtin exec -a kibosh "$__kibosh_program" --judge-typed "$__kibosh_given" "$__kibosh_command")
  case $? in
    0)
      ((${#__kibosh_known[@]} > 500)) && __kibosh_known=()
      __kibosh_known[$__kibosh_key]=1
      return 0
      ;;
    10) return 0 ;;
  esac
  [[ $BASHPID == $$ ]] || builtin exit 126
  __kibosh_stopped=1
  return 1
}

# Runs before each prompt: nothing of the stopped line is left to skip.
__kibosh_prompt() {
  if ((__kibosh_stopped)); then
    __kibosh_stopped=0
    builtin kill -INT $$
  fi
}

# A DEBUG trap of somebody else runs after the gate.
trap() {
  if (($# >= 2)) && [[ ${*: -1} == DEBUG && $1 != -[lp]* ]]; then
    [[ $1 == -- ]] && shift
    if [[ $1 == - ]]; then __kibosh_theirs=; else __kibosh_theirs=$1; fi
    __kibosh_arm
    (($# > 2)) && builtin trap "${@:1:$#-1}"
    return 0
  fi
  builtin trap "$@"
}

__kibosh_arm() {
  if [[ $__kibosh_theirs ]]; then
    builtin trap '__kibosh_gate "$@" "$_" && { ((__kibosh_own)) || builtin eval "$__kibosh_theirs"; builtin true "$_"; }' DEBUG
  else
    builtin trap '__kibosh_gate "$@" "$_"' DEBUG
  fi
}

builtin readonly -f __kibosh_gate __kibosh_prompt __kibosh_arm trap
builtin readonly __kibosh_program __kibosh_source
builtin shopt -s extdebug
__kibosh_arm
