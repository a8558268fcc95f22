if [[ ${PROMPT_COMMAND@a} == *a* ]]; then
  PROMPT_COMMAND=(__kibosh_prompt "${PROMPT_COMMAND[@]}")
else
  PROMPT_COMMAND="__kibosh_prompt${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
fi
__kibosh_starting=0
