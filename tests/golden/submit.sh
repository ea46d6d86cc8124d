#!/bin/bash
# The jobs of `shuibao submit`, in their order. Run with bash, this hands them to Slurm.
set -eu
mkdir -p -- 'BASE/the store/slurm'

catalog=$(sbatch --parsable '--output=BASE/the store/slurm/%x-%j.log' --qos=normal <<'END OF catalog'
#!/bin/bash
#SBATCH --job-name=shuibao-catalog
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=4
#SBATCH --mem=9011M
#SBATCH --time=08:00:00
#SBATCH --partition=long
#SBATCH --requeue
cd -- BASE || exit 1
unset SHUIBAO_JOBS SHUIBAO_MEMORY
trap : TERM  # the program stops at the end of a unit; stay to tell how it ended
PROGRAM catalog --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
PROGRAM tile --shard 0/12 --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
exit 0
END OF catalog
)

tile=$(sbatch --parsable '--output=BASE/the store/slurm/%x-%A_%a.log' --qos=normal --dependency="afterok:${catalog%%;*}" <<'END OF tile'
#!/bin/bash
#SBATCH --job-name=shuibao-tile
#SBATCH --open-mode=append
#SBATCH --array=1-12%4
#SBATCH --cpus-per-task=4
#SBATCH --mem=9011M
#SBATCH --time=08:00:00
#SBATCH --partition=long
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
cd -- BASE || exit 1
unset SHUIBAO_JOBS SHUIBAO_MEMORY
trap : TERM  # the program stops at the end of a unit; stay to tell how it ended
PROGRAM tile --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600 --shard "$SLURM_ARRAY_TASK_ID/12"
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
exit 0
END OF tile
)

tile_rest=$(sbatch --parsable '--output=BASE/the store/slurm/%x-%j.log' --qos=normal --dependency="afterok:${catalog%%;*},afterany:${tile%%;*}" <<'END OF tile_rest'
#!/bin/bash
#SBATCH --job-name=shuibao-tile_rest
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=4
#SBATCH --mem=9011M
#SBATCH --time=08:00:00
#SBATCH --partition=long
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
cd -- BASE || exit 1
unset SHUIBAO_JOBS SHUIBAO_MEMORY
trap : TERM  # the program stops at the end of a unit; stay to tell how it ended
PROGRAM tile --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
PROGRAM detect --shard 0/12 --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
exit 0
END OF tile_rest
)

detect=$(sbatch --parsable '--output=BASE/the store/slurm/%x-%A_%a.log' --qos=normal --dependency="afterok:${tile_rest%%;*}" <<'END OF detect'
#!/bin/bash
#SBATCH --job-name=shuibao-detect
#SBATCH --open-mode=append
#SBATCH --array=1-12%4
#SBATCH --cpus-per-task=4
#SBATCH --mem=9011M
#SBATCH --time=08:00:00
#SBATCH --partition=long
#SBATCH --requeue
#SBATCH --kill-on-invalid-dep=yes
cd -- BASE || exit 1
unset SHUIBAO_JOBS SHUIBAO_MEMORY
trap : TERM  # the program stops at the end of a unit; stay to tell how it ended
PROGRAM detect --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600 --shard "$SLURM_ARRAY_TASK_ID/12"
code=$?
case $code in 0|3) ;; *) exit $code ;; esac
exit 0
END OF detect
)

run=$(sbatch --parsable '--output=BASE/the store/slurm/%x-%j.log' --qos=normal --dependency="afterany:${detect%%;*}" <<'END OF run'
#!/bin/bash
#SBATCH --job-name=shuibao-run
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=4
#SBATCH --mem=9011M
#SBATCH --time=08:00:00
#SBATCH --partition=long
#SBATCH --requeue
cd -- BASE || exit 1
unset SHUIBAO_JOBS SHUIBAO_MEMORY
trap : TERM  # the program stops at the end of a unit; stay to tell how it ended
PROGRAM run --config BASE/site.yaml --set 'output=it'\''s here' --memory 8192M --wait 600
code=$?
exit $code
END OF run
)

printf '%s\n' "catalog: $catalog" "tile: $tile" "tile_rest: $tile_rest" "detect: $detect" "run: $run"
